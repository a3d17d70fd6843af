// 128-bit vectors: SSE2 on x86-64; NEON with fused multiply-add on arm64.
#include "../model.h"

#include <string.h>

#define VW 4
#define NV 2
#define KERNELS erm_kernels_baseline
#if defined(__aarch64__)
#define FUSED 1
#define MR 8
#else
#define FUSED 0
#define MR 4
#endif
#include "../body/vector.h"
#include "../body/transpose.h"
#include "../body/tiles.h"
#include "../body/layers.h"
#include "../body/loss.h"
#include "../body/passes.h"
