// Trees and linear models for ERM_ROWS rows at once; included once per instruction set by forest.c.
//
// Every row's own sum is made in the order in which one row alone is summed, and nothing is fused: the bits are the same.

#define UNROLL _Pragma("clang loop unroll(full)")
#define VECTORS (ERM_ROWS / LANES)
#define INLINE static inline __attribute__((always_inline))

typedef float NAME(floats) __attribute__((ext_vector_type(LANES), aligned(4)));
typedef int32_t NAME(ints) __attribute__((ext_vector_type(LANES), aligned(4)));

// What the leaves left over in `masks` say.
#ifdef PERMUTES
INLINE void NAME(look)(const float *table, int32_t size, const NAME(ints) *masks, float *values) {
    __m256 first = _mm256_loadu_ps(table), second = first, third = first, fourth = first;
    if (size > 8) second = _mm256_loadu_ps(table + 8);
    if (size > 16) {
        third = _mm256_loadu_ps(table + 16);
        fourth = _mm256_loadu_ps(table + 24);
    }
    UNROLL for (int v = 0; v < VECTORS; v++) {
        __m256i mask = (__m256i)masks[v];
        __m256i lowest = _mm256_and_si256(mask, _mm256_sub_epi32(_mm256_setzero_si256(), mask));
        __m256i place = _mm256_srli_epi32(_mm256_castps_si256(_mm256_cvtepi32_ps(lowest)), 23);
        __m256 value = _mm256_permutevar8x32_ps(first, place);
        if (size > 8) {
            __m256 eights = _mm256_castsi256_ps(_mm256_slli_epi32(place, 28));
            value = _mm256_blendv_ps(value, _mm256_permutevar8x32_ps(second, place), eights);
            if (size > 16) {
                __m256 upper = _mm256_blendv_ps(
                    _mm256_permutevar8x32_ps(third, place), _mm256_permutevar8x32_ps(fourth, place), eights);
                value = _mm256_blendv_ps(value, upper, _mm256_castsi256_ps(_mm256_slli_epi32(place, 27)));
            }
        }
        _mm256_storeu_ps(values + v * LANES, value);
    }
}
#else
INLINE void NAME(look)(const float *table, int32_t size, const NAME(ints) *masks, float *values) {
    const int32_t *mask = (const int32_t *)masks;
    for (int row = 0; row < ERM_ROWS; row++) {
        values[row] = table[erm_table_place(__builtin_ctz((uint32_t)mask[row]), size)];
    }
}
#endif

INLINE void NAME(trees)(const erm_forest *forest, const float *block, int32_t count, int32_t size) {
    const erm_tree *last = forest->trees + forest->starts[count + 1];
    for (const erm_tree *tree = forest->trees + forest->starts[count]; tree < last; tree++) {
        const erm_cut *cuts = forest->cuts + tree->cuts;
        NAME(ints) masks[VECTORS];
        UNROLL for (int v = 0; v < VECTORS; v++) masks[v] = (NAME(ints))(-1);
        for (const erm_cut *cut = cuts; cut < cuts + count; cut++) {
            const float *values = block + (size_t)cut->column * ERM_ROWS;
            NAME(ints) keep = (NAME(ints))((int32_t)cut->keep);
            UNROLL for (int v = 0; v < VECTORS; v++) {
                NAME(ints) right = *(const NAME(floats) *)(values + v * LANES) > (NAME(floats))(cut->threshold);
                masks[v] &= ~right | keep;
            }
        }
        NAME(look)(forest->tables + tree->table, size, masks, forest->values + (size_t)tree->number * ERM_ROWS);
    }
}

static void NAME(forest)(const erm_forest *forest, const float *block, double *sums) {
    // Trees with equally many cuts follow each other: the processor foresees where their loops end.
    for (int32_t count = 1; count < ERM_LEAVES; count++) {
        int32_t size = erm_table_size(count);
        if (size == 8) NAME(trees)(forest, block, count, 8);
        else if (size == 16) NAME(trees)(forest, block, count, 16);
        else NAME(trees)(forest, block, count, 32);
    }
    four_doubles sum[ERM_ROWS / 4];
    UNROLL for (int v = 0; v < ERM_ROWS / 4; v++) sum[v] = (four_doubles)(0);
    for (int32_t tree = 0; tree < forest->count; tree++) {
        const float *values = forest->values + (size_t)tree * ERM_ROWS;
        UNROLL for (int v = 0; v < ERM_ROWS / 4; v++) {
            sum[v] += __builtin_convertvector(*(const four_floats *)(values + v * 4), four_doubles);
        }
    }
    for (int row = 0; row < ERM_ROWS; row++) sums[row] = sum[row / 4][row % 4];
}

// Eight rows at a time: so many sums of several models fit into registers.
INLINE void NAME(models)(const erm_linear *linear, const float *block, double *sums, const int models) {
    for (int first = 0; first < ERM_ROWS; first += 8) {
        four_doubles sum[ERM_LINEARS][2];
        UNROLL for (int model = 0; model < models; model++) {
            sum[model][0] = sum[model][1] = (four_doubles)(linear->intercepts[model]);
        }
        for (int32_t column = 0; column < linear->columns; column++) {
            int32_t place = linear->places[column];
            if (place < 0) {
                const double *terms = linear->terms + (size_t)column * models;
                UNROLL for (int model = 0; model < models; model++) {
                    sum[model][0] += (four_doubles)(terms[model]);
                    sum[model][1] += (four_doubles)(terms[model]);
                }
                continue;
            }
            const double *weights = linear->weights + (size_t)column * models;
            UNROLL for (int half = 0; half < 2; half++) {
                const float *given = block + (size_t)place * ERM_ROWS + first + half * 4;
                four_doubles values = __builtin_convertvector(*(const four_floats *)given, four_doubles);
                four_longs known = values == values;
                four_doubles standard = (values - linear->means[column]) / linear->deviations[column];
                standard = standard < linear->lows[column] ? (four_doubles)(linear->lows[column]) : standard;
                standard = standard > linear->highs[column] ? (four_doubles)(linear->highs[column]) : standard;
                standard = known ? standard : (four_doubles)(0);
                UNROLL for (int model = 0; model < models; model++) sum[model][half] += weights[model] * standard;
            }
        }
        UNROLL for (int model = 0; model < models; model++) {
            for (int row = 0; row < 8; row++) sums[model * ERM_ROWS + first + row] = sum[model][row / 4][row % 4];
        }
    }
}

static void NAME(linear)(const erm_linear *linear, const float *block, double *sums) {
    switch (linear->models) {
    case 1: return NAME(models)(linear, block, sums, 1);
    case 2: return NAME(models)(linear, block, sums, 2);
    case 3: return NAME(models)(linear, block, sums, 3);
    case 4: return NAME(models)(linear, block, sums, 4);
    }
}

// log1p by a series that is off by less than a share of 1e-13. Where so much more than that lies within one float, the library's own
// result, off by less than that too, is this float; elsewhere the library is asked.
static void NAME(ages)(double now, const double *moments, float *ages) {
    for (int row = 0; row < ERM_ROWS; row += 4) {
        four_doubles moment = *(const four_doubles_anywhere *)(moments + row);
        four_doubles days = (now - moment) * (1 / 86400.0);
        four_longs bits = (four_longs)(days + 1);
        // The power of two as a number: put in the lowest bits of 2^52.
        four_doubles power = (four_doubles)((bits >> 52) | 0x4330000000000000) - (0x1p52 + 1023);
        four_doubles part = (four_doubles)((bits & 0xfffffffffffff) | 0x3ff0000000000000);
        four_longs upper = part > 1.4142135623730951;
        part = upper ? part * 0.5 : part;
        power = upper ? power + 1 : power;
        // log(part) = 2 artanh(s) = 2 (s + s³/3 + s⁵/5 + …), where |s| < 0.172.
        four_doubles s = (part - 1) / (part + 1), square = s * s, series = (four_doubles)(1 / 21.0);
        UNROLL for (int odd = 19; odd > 0; odd -= 2) series = series * square + 1.0 / odd;
        four_doubles age = power * 0.6931471805599453 + 2 * s * series;
        four_floats_aligned low = __builtin_convertvector(age * (1 - 1e-11), four_floats_aligned);
        four_floats_aligned high = __builtin_convertvector(age * (1 + 1e-11), four_floats_aligned);
        four_ints is_sure = (low == high) & __builtin_convertvector((days > 0.02) & (days < 0x1p40), four_ints);
        four_ints is_missing = __builtin_convertvector(moment != moment, four_ints);
        *(four_floats *)(ages + row) = is_missing ? (four_floats_aligned)(__builtin_nanf("")) : low;
        if (__builtin_reduce_and(is_sure | is_missing)) continue;
        for (int lane = row; lane < row + 4; lane++) {
            double given = now - moments[lane];
            if (given == given) ages[lane] = (float)log1p((given > 0 ? given : 0) / 86400);
        }
    }
}

#undef UNROLL
#undef VECTORS
#undef INLINE
