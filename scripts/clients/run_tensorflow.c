/* Mask of a picture by a SavedModel in C, with the library of TensorFlow's wheel:

     TF=$(python -c 'import tensorflow as tf; print(tf.sysconfig.get_lib())')
     gcc run_tensorflow.c -o run_tensorflow -I$TF/include -L$TF \
         -l:libtensorflow_cc.so.2 -l:libtensorflow_framework.so.2 -Wl,-rpath,$TF
     python -c "from PIL import Image; \
     Image.open('photo.jpg').convert('RGB').save('photo.ppm')"
     ./run_tensorflow model/1 photo.ppm mask.pgm $(python -c "import json; \
     names = json.load(open('model/1/kerasseg.json'))['tensors']['serving_default']; \
     print(names['inputs']['images'], names['outputs']['class_ids'])")

   The last two are the names of the model's tensors, which differ between models. */
#include <stdio.h>
#include <stdlib.h>
#include <tensorflow/c/c_api.h>

static TF_Status *status;

static void check(int fine, const char *what, const char *words) {
  int went_well = TF_GetCode(status) == TF_OK;
  if (fine && went_well) return;
  fprintf(stderr, "%s: %s\n", what, went_well ? words : TF_Message(status));
  exit(1);
}

static TF_Output find(TF_Graph *graph, const char *name) {
  char operation[256];
  TF_Output found = {NULL, 0};
  if (sscanf(name, "%255[^:]:%d", operation, &found.index) == 2)
    found.oper = TF_GraphOperationByName(graph, operation);
  check(found.oper != NULL, name, "no such tensor; see kerasseg.json");
  return found;
}

int main(int count, char **words) {
  int width, height, scanned;
  const char *tags[] = {"serve"};
  status = TF_NewStatus();
  check(count == 6, "usage", "run_tensorflow MODEL PHOTO MASK INPUT OUTPUT");
  TF_Graph *graph = TF_NewGraph();
  TF_SessionOptions *options = TF_NewSessionOptions();
  TF_Session *session = TF_LoadSessionFromSavedModel(options, NULL, words[1], tags, 1,
                                                     graph, NULL, status);
  check(session != NULL, words[1], "no model");
  FILE *photo = fopen(words[2], "rb");
  check(photo != NULL, words[2], "cannot be read");
  scanned = fscanf(photo, "P6 %d %d 255", &width, &height);
  check(scanned == 2 && fgetc(photo) != EOF, words[2], "no PPM file of 8 bits");
  size_t pixels = (size_t)width * height;
  int64_t shape[] = {1, height, width, 3};
  TF_Tensor *image = TF_AllocateTensor(TF_UINT8, shape, 4, 3 * pixels), *ids;
  check(fread(TF_TensorData(image), 3, pixels, photo) == pixels, words[2], "cut off");
  TF_Output input = find(graph, words[4]), output = find(graph, words[5]);
  TF_SessionRun(session, NULL, &input, &image, 1, &output, &ids, 1, NULL, 0, NULL,
                status);
  check(1, "run", "");
  FILE *mask = fopen(words[3], "wb");
  check(mask != NULL, words[3], "cannot be written");
  fprintf(mask, "P5 %d %d 255\n", width, height);
  for (size_t i = 0; i < pixels; i++) fputc(((int32_t *)TF_TensorData(ids))[i], mask);
  return fclose(mask);
}
