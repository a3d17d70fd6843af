// 512-bit vectors with fused multiply-add.
#if defined(__x86_64__)
#include "../model.h"

#include <string.h>

#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx2,fma"))), apply_to = function)
#define VW 16
#define NV 2
#define MR 8
#define FUSED 1
#define KERNELS erm_kernels_avx512
#include "../body/vector.h"
#include "../body/transpose.h"
#include "../body/tiles.h"
#include "../body/layers.h"
#include "../body/loss.h"
#include "../body/passes.h"
#pragma clang attribute pop
#endif
