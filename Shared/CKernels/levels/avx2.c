// 256-bit vectors with fused multiply-add.
#if defined(__x86_64__)
#include "../model.h"

#include <string.h>

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define VW 8
#define NV 2
#define MR 4
#define FUSED 1
#define KERNELS erm_kernels_avx2
#include "../body/vector.h"
#include "../body/transpose.h"
#include "../body/tiles.h"
#include "../body/layers.h"
#include "../body/loss.h"
#include "../body/passes.h"
#pragma clang attribute pop
#endif
