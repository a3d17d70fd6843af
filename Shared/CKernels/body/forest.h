// Trees and linear models for ERM_ROWS rows at once; included once per instruction set by forest.c.
//
// Every row's own sum is made in the order in which one row alone is summed, and nothing is fused: the bits are the same.

static void NAME(cut)(const erm_forest *forest, const float *block, uint32_t *masks) {
    for (int32_t tree = 0; tree < forest->trees; tree++) {
        uint32_t initial = forest->initial[tree];
        for (int lane = 0; lane < ERM_ROWS; lane++) masks[tree * ERM_ROWS + lane] = initial;
    }
    for (int32_t run = 0; run < forest->runs; run++) {
        const float *values = block + (size_t)forest->columns[run] * ERM_ROWS;
        float highest = -__builtin_inff();
        for (int lane = 0; lane < ERM_ROWS; lane++) highest = values[lane] > highest ? values[lane] : highest;
        const erm_cut *end = forest->cuts + forest->starts[run + 1];
        // Thresholds ascend: above the highest value no row goes right any more.
        for (const erm_cut *cut = forest->cuts + forest->starts[run]; cut < end && highest > cut->threshold; cut++) {
            uint32_t *restrict mask = masks + (size_t)cut->tree * ERM_ROWS;
            uint32_t keep = cut->keep;
            float threshold = cut->threshold;
            for (int lane = 0; lane < ERM_ROWS; lane++) {
                mask[lane] &= values[lane] > threshold ? keep : UINT32_MAX;
            }
        }
    }
}

// Half of the rows at a time: so many sums fit into registers.
static void NAME(leaves)(const erm_forest *forest, const uint32_t *masks, double *sums) {
    double sum[ERM_ROWS / 2];
    for (int lane = 0; lane < ERM_ROWS / 2; lane++) sum[lane] = 0;
    for (int32_t tree = 0; tree < forest->trees; tree++) {
        const double *leaves = forest->leaves + (size_t)tree * ERM_LEAVES;
        const uint32_t *mask = masks + (size_t)tree * ERM_ROWS;
#pragma clang loop unroll(full) vectorize(disable)
        for (int lane = 0; lane < ERM_ROWS / 2; lane++) sum[lane] += leaves[__builtin_ctz(mask[lane])];
    }
    for (int lane = 0; lane < ERM_ROWS / 2; lane++) sums[lane] = sum[lane];
}

static void NAME(forest)(const erm_forest *forest, const float *block, uint32_t *masks, double *sums) {
    NAME(cut)(forest, block, masks);
    NAME(leaves)(forest, masks, sums);
    NAME(leaves)(forest, masks + ERM_ROWS / 2, sums + ERM_ROWS / 2);
}

static void NAME(linear)(const erm_linear *linear, const float *block, double *sums) {
    rows_of_double sum = (rows_of_double)linear->intercept;
    for (int32_t column = 0; column < linear->columns; column++) {
        int32_t place = linear->places[column];
        if (place < 0) {
            sum += (rows_of_double)linear->terms[column];
            continue;
        }
        rows_of_float given = *(const rows_of_float *)(block + (size_t)place * ERM_ROWS);
        rows_of_double values = __builtin_convertvector(given, rows_of_double);
        rows_of_long known = linear->deviations[column] > 0 ? values == values : (rows_of_long)0;
        rows_of_double standard = (values - linear->means[column]) / linear->deviations[column];
        standard = standard < -4 ? (rows_of_double)-4 : standard;
        standard = standard > 4 ? (rows_of_double)4 : standard;
        standard = known ? standard : (rows_of_double)0;
        sum += linear->weights[column] * standard;
    }
    *(rows_of_double *)sums = sum;
}
