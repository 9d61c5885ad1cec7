"""Operations of TensorFlow that compute: from tensors to tensors, and nothing else.

Whatever is not in these lists is refused. TensorFlow has some 1,900 operations, and new
versions bring more; those that open files (`ImmutableConst`, `DecodeProtoV2`, tables
from text, ...) do not always say so by their name or their flag of state.
"""

ARITHMETIC = """
Abs Acos Acosh Add AddN AddV2 Angle ApproximateEqual Asin Asinh Atan Atan2 Atanh
BitwiseAnd BitwiseOr BitwiseXor Cast Ceil ClipByValue Complex ComplexAbs Conj Cos Cosh
Cross Cumprod Cumsum CumulativeLogsumexp Digamma Div DivNoNan Equal Erf Erfc Erfinv Exp
Expm1 Floor FloorDiv FloorMod Greater GreaterEqual Igamma Igammac Imag Inv Invert
IsFinite IsInf IsNan LeftShift Less LessEqual Lgamma Log Log1p LogicalAnd LogicalNot
LogicalOr Maximum Minimum Mod Mul MulNoNan Ndtri Neg NextAfter NotEqual Pow Real RealDiv
Reciprocal RightShift Rint Round Rsqrt Select SelectV2 Sigmoid Sign Sin Sinh Sqrt Square
SquaredDifference Sub Tan Tanh TruncateDiv TruncateMod Xdivy Xlog1py Xlogy
"""
REDUCTIONS = """
All Any ArgMax ArgMin Bincount DenseBincount EuclideanNorm Max Mean Min Prod SegmentMax
SegmentMean SegmentMin SegmentProd SegmentSum Sum UnsortedSegmentMax UnsortedSegmentMin
UnsortedSegmentProd UnsortedSegmentSum
"""
ARRAYS = """
BatchToSpace BatchToSpaceND Bitcast BroadcastArgs BroadcastGradientArgs BroadcastTo
Bucketize CheckNumerics Concat ConcatOffset ConcatV2 Const DepthToSpace EnsureShape
ExpandDims ExtractImagePatches Fill Gather GatherNd GatherV2 Identity IdentityN InTopK
InTopKV2 InvertPermutation LinSpace LowerBound MirrorPad NoOp OneHot OnesLike Pack Pad
PadV2 Placeholder PlaceholderWithDefault PreventGradient Range Rank Reshape Reverse
ReverseSequence ReverseV2 Roll ScatterNd Shape ShapeN Size Slice SpaceToBatch
SpaceToBatchND SpaceToDepth Split SplitV Squeeze StopGradient StridedSlice
TensorScatterAdd TensorScatterMax TensorScatterMin TensorScatterSub TensorScatterUpdate
TensorStridedSliceUpdate Tile TopK TopKV2 Transpose Unique UniqueV2 UniqueWithCounts
UniqueWithCountsV2 Unpack UnravelIndex UpperBound Where ZerosLike
"""
ALGEBRA = """
BatchMatMul BatchMatMulV2 BatchMatMulV3 Cholesky Einsum FFT FFT2D FFT3D IFFT IFFT2D
IRFFT IRFFT2D MatMul MatrixBandPart MatrixDeterminant MatrixDiag MatrixDiagPart
MatrixDiagPartV2 MatrixDiagPartV3 MatrixDiagV2 MatrixDiagV3 MatrixInverse MatrixSetDiag
MatrixSetDiagV2 MatrixSetDiagV3 MatrixSolve MatrixTriangularSolve Qr RFFT RFFT2D
SelfAdjointEigV2 Svd
"""
NETWORKS = """
AvgPool AvgPool3D BiasAdd BiasAddV1 Conv Conv2D Conv2DBackpropInput
Conv2DBackpropInputV2 Conv3D Conv3DBackpropInputV2 DataFormatDimMap DataFormatVecPermute
DepthwiseConv2dNative Dilation2D Elu FakeQuantWithMinMaxArgs FakeQuantWithMinMaxVars
FakeQuantWithMinMaxVarsPerChannel FusedBatchNorm FusedBatchNormV2 FusedBatchNormV3
FusedPadConv2D L2Loss LRN LeakyRelu LogSoftmax MaxPool MaxPool3D MaxPoolV2
MaxPoolWithArgmax Relu Relu6 Selu Softmax SoftmaxCrossEntropyWithLogits Softplus
Softsign SparseSoftmaxCrossEntropyWithLogits
"""
IMAGES = """
AdjustContrastv2 AdjustHue AdjustSaturation CombinedNonMaxSuppression CropAndResize
DecodeAndCropJpeg DecodeBase64 DecodeBmp DecodeGif DecodeImage DecodeJpeg DecodePng
DecodeRaw EncodeBase64 EncodeJpeg EncodePng ExtractJpegShape HSVToRGB
ImageProjectiveTransformV2 ImageProjectiveTransformV3 NonMaxSuppression
NonMaxSuppressionV2 NonMaxSuppressionV3 NonMaxSuppressionV4 NonMaxSuppressionV5
NonMaxSuppressionWithOverlaps RGBToHSV ResizeArea ResizeBicubic ResizeBilinear
ResizeNearestNeighbor ResizeNearestNeighborGrad ScaleAndTranslate
"""
TEXT = """
AsString ReduceJoin RegexFullMatch RegexReplace StaticRegexFullMatch
StaticRegexReplace StringJoin StringLength StringLower StringStrip StringToNumber
StringUpper Substr
"""
RANDOM = """
Multinomial RandomGamma RandomShuffle RandomStandardNormal RandomUniform
RandomUniformInt StatelessMultinomial StatelessRandomGetAlg StatelessRandomGetKeyCounter
StatelessRandomGetKeyCounterAlg StatelessRandomNormal StatelessRandomNormalV2
StatelessRandomUniform StatelessRandomUniformFullInt StatelessRandomUniformFullIntV2
StatelessRandomUniformInt StatelessRandomUniformIntV2 StatelessRandomUniformV2
StatelessTruncatedNormal StatelessTruncatedNormalV2 TruncatedNormal
"""
FLOW = """
Assert Case If PartitionedCall StatefulPartitionedCall StatelessCase StatelessIf
StatelessWhile While
EmptyTensorList TensorListConcatV2 TensorListElementShape TensorListFromTensor
TensorListGather TensorListGetItem TensorListLength TensorListPopBack
TensorListPushBack TensorListReserve TensorListResize TensorListScatterV2
TensorListSetItem TensorListSplit TensorListStack
"""
VARIABLES = """
AssignAddVariableOp AssignSubVariableOp AssignVariableOp DestroyResourceOp
DisableCopyOnRead ReadVariableOp ResourceGather ResourceGatherNd ResourceScatterAdd
ResourceScatterNdAdd ResourceScatterNdUpdate ResourceScatterUpdate VarHandleOp
VarIsInitializedOp VariableShape
"""


def _words(*lists):
    return frozenset(" ".join(lists).split())


COMPUTES = _words(
    *(ARITHMETIC, REDUCTIONS, ARRAYS, ALGEBRA, NETWORKS, IMAGES, TEXT, RANDOM, FLOW),
    VARIABLES,
)
# Of the function that TensorFlow calls to write a checkpoint; no other may use them.
SAVES = _words("MergeV2Checkpoints SaveV2 ShardedFilename")
# Of the function that reads one: nothing else may be reached from it.
RESTORES = _words(
    "AssignVariableOp Cast Const Identity NoOp PartitionedCall Placeholder",
    "ReadVariableOp Reshape RestoreV2 StatefulPartitionedCall VarHandleOp",
)
