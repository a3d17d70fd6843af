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

static void NAME(forest)(const erm_forest *forest, const float *block, uint32_t *masks, double *sums) {
    NAME(cut)(forest, block, masks);
    for (int lane = 0; lane < ERM_ROWS; lane++) sums[lane] = 0;
    for (int32_t tree = 0; tree < forest->trees; tree++) {
        const float *leaves = forest->leaves + (size_t)tree * ERM_LEAVES;
        const uint32_t *mask = masks + (size_t)tree * ERM_ROWS;
        for (int lane = 0; lane < ERM_ROWS; lane++) sums[lane] += (double)leaves[__builtin_ctz(mask[lane])];
    }
}

static void NAME(linear)(const erm_linear *linear, const float *block, double *sums) {
    for (int lane = 0; lane < ERM_ROWS; lane++) sums[lane] = linear->intercept;
    for (int32_t column = 0; column < linear->columns; column++) {
        int32_t place = linear->places[column];
        if (place < 0) {
            for (int lane = 0; lane < ERM_ROWS; lane++) sums[lane] += linear->terms[column];
            continue;
        }
        const float *values = block + (size_t)place * ERM_ROWS;
        double mean = linear->means[column], deviation = linear->deviations[column], weight = linear->weights[column];
        for (int lane = 0; lane < ERM_ROWS; lane++) {
            double value = ((double)values[lane] - mean) / deviation;
            value = value < -4 ? -4 : value;
            value = value > 4 ? 4 : value;
            value = values[lane] != values[lane] || !(deviation > 0) ? 0 : value;
            sums[lane] += weight * value;
        }
    }
}
