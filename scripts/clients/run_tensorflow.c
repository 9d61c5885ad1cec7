/* Mask of a picture by a SavedModel in C, with the library of TensorFlow's wheel:

     TF=$(python -c 'import tensorflow as tf; print(tf.sysconfig.get_lib())')
     gcc run_tensorflow.c -o run_tensorflow -I$TF/include -L$TF \
         -l:libtensorflow_cc.so.2 -l:libtensorflow_framework.so.2 -Wl,-rpath,$TF
     ./run_tensorflow model/1 photo.ppm mask.pgm INPUT OUTPUT

   INPUT and OUTPUT are the tensors of `images` and `class_ids` in kerasseg.json, under
   "tensors", "serving_default": serving_default_images:0, StatefulPartitionedCall_2:0. */
#include <stdio.h>
#include <stdlib.h>
#include <tensorflow/c/c_api.h>

static TF_Status *status;

static void check(int fine, const char *what) {
  if (!fine || TF_GetCode(status) != TF_OK) {
    fprintf(stderr, "%s: %s\n", what, TF_Message(status));
    exit(1);
  }
}

static TF_Output find(TF_Graph *graph, const char *name) {
  char operation[256];
  TF_Output found = {NULL, 0};
  if (sscanf(name, "%255[^:]:%d", operation, &found.index) == 2)
    found.oper = TF_GraphOperationByName(graph, operation);
  check(found.oper != NULL, name);
  return found;
}

int main(int count, char **words) {
  int width, height, scanned;
  const char *tags[] = {"serve"};
  status = TF_NewStatus();
  check(count == 6, "MODEL PHOTO MASK INPUT OUTPUT");
  TF_Graph *graph = TF_NewGraph();
  TF_SessionOptions *options = TF_NewSessionOptions();
  TF_Session *session = TF_LoadSessionFromSavedModel(options, NULL, words[1], tags, 1,
                                                     graph, NULL, status);
  check(session != NULL, words[1]);
  FILE *photo = fopen(words[2], "rb");
  check(photo != NULL, words[2]);
  scanned = fscanf(photo, "P6 %d %d 255", &width, &height);
  check(scanned == 2 && fgetc(photo) != EOF, words[2]);
  size_t pixels = (size_t)width * height;
  int64_t shape[] = {1, height, width, 3};
  TF_Tensor *image = TF_AllocateTensor(TF_UINT8, shape, 4, 3 * pixels), *ids;
  check(fread(TF_TensorData(image), 3, pixels, photo) == pixels, words[2]);
  TF_Output input = find(graph, words[4]), output = find(graph, words[5]);
  TF_SessionRun(session, NULL, &input, &image, 1, &output, &ids, 1, NULL, 0, NULL,
                status);
  check(1, "run");
  FILE *mask = fopen(words[3], "wb");
  check(mask != NULL, words[3]);
  fprintf(mask, "P5 %d %d 255\n", width, height);
  for (size_t i = 0; i < pixels; i++) fputc(((int32_t *)TF_TensorData(ids))[i], mask);
  return fclose(mask);
}
