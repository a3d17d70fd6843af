// Trees and linear models for several rows at once, compiled per instruction set and chosen at run time.
#include "CKernels.h"

#include <math.h>

// What of a tree's leaves no cut has taken away is a number in binary. Its lowest bit as a float has the leaf in its exponent, from 127
// on: its place in the table (erm_table_place) is in the lowest bits of the exponent.

typedef double four_doubles __attribute__((ext_vector_type(4)));
typedef int64_t four_longs __attribute__((ext_vector_type(4)));
typedef int32_t four_ints __attribute__((ext_vector_type(4)));
typedef float four_floats_aligned __attribute__((ext_vector_type(4)));
// At any address.
typedef float four_floats __attribute__((ext_vector_type(4), aligned(4)));
typedef double four_doubles_anywhere __attribute__((ext_vector_type(4), aligned(8)));

#define NAME(name) name##_baseline
#define LANES 4
#include "body/forest.h"
#undef LANES
#undef NAME

#if defined(__x86_64__)
#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)
#define NAME(name) name##_avx2
#define LANES 8
#define PERMUTES
#include "body/forest.h"
#undef PERMUTES
#undef LANES
#undef NAME
#pragma clang attribute pop
#endif

void erm_forest_sums(int32_t level, const erm_forest *forest, const float *block, double *sums) {
#if defined(__x86_64__)
    if (level >= ERM_AVX2) return forest_avx2(forest, block, sums);
#endif
    forest_baseline(forest, block, sums);
}

void erm_ages(int32_t level, double now, const double *moments, float *ages) {
#if defined(__x86_64__)
    if (level >= ERM_AVX2) return ages_avx2(now, moments, ages);
#endif
    ages_baseline(now, moments, ages);
}

void erm_linear_sums(int32_t level, const erm_linear *linear, const float *block, double *sums) {
#if defined(__x86_64__)
    if (level >= ERM_AVX2) return linear_avx2(linear, block, sums);
#endif
    linear_baseline(linear, block, sums);
}
