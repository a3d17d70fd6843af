// Whole passes: predicting, training, evaluating.

// All layers for rows at `a`; gives the last layer.
static const erm_layer *pass(const erm_model *model, const float *a, size_t a_row, int32_t rows, int dropout) {
    const erm_layer *layer = model->layers;
    for (int32_t i = 0; i < model->count; i++) {
        layer = &model->layers[i];
        forward(layer, a, a_row, rows, dropout);
        a = layer->output;
        a_row = (size_t)layer->stride;
    }
    return layer;
}

static void predict(erm_model *model, const float *inputs, size_t rows, float *outputs) {
    size_t width = (size_t)model->layers[0].inputs;
    for (size_t from = 0; from < rows; from += (size_t)model->rows) {
        int32_t count = (int32_t)(rows - from < (size_t)model->rows ? rows - from : (size_t)model->rows);
        const erm_layer *last = pass(model, inputs + from * width, width, count, 0);
        for (int32_t row = 0; row < count; row++)
            for (int32_t u = 0; u < last->units; u++) *outputs++ = last->output[(size_t)row * last->stride + u];
    }
}

// Copies targets and weight of `row` to place `i` of the batch.
INLINE void gather_target(erm_model *model, const erm_samples *samples, size_t row, int32_t i) {
    const erm_layer *last = &model->layers[model->count - 1];
    size_t width = (size_t)last->units;
    const float *from = samples->targets + row * width;
    float *to = model->target + (size_t)i * last->stride;
    for (size_t u = 0; u < width; u++) to[u] = from[u];
    model->weight[i] = samples->weights ? samples->weights[row] : 1;
}

static adam_step next_step(erm_adam *adam) {
    adam->step++;
    adam->beta1_power *= adam->beta1;
    adam->beta2_power *= adam->beta2;
    double rate = adam->learning_rate * __builtin_sqrt(1 - adam->beta2_power) / (1 - adam->beta1_power);
    return (adam_step){
        .rate = (float)rate, .gain1 = (float)(1 - adam->beta1), .gain2 = (float)(1 - adam->beta2),
        .epsilon = (float)adam->epsilon, .shrink = (float)(1 - adam->learning_rate * adam->weight_decay),
    };
}

static void train(
    erm_model *model, const erm_samples *samples, const uint32_t *order, size_t from, size_t to, int32_t batch,
    erm_adam *adam, erm_totals *totals) {
    erm_layer *layers = model->layers;
    size_t width = (size_t)layers[0].inputs, input_row = (size_t)layers[0].input_stride;
    for (; from < to; from += (size_t)batch) {
        int32_t rows = (int32_t)(to - from < (size_t)batch ? to - from : (size_t)batch);
        for (int32_t i = 0; i < rows; i++) {
            size_t row = order[from + (size_t)i];
            const float *source = samples->inputs + row * width;
            float *input = model->input + (size_t)i * input_row;
            for (size_t k = 0; k < width; k++) input[k] = source[k];
            gather_target(model, samples, row, i);
        }
        adam_step step = next_step(adam);
        for (int32_t l = 0; l < model->count; l++)
            if (layers[l].drop)
                draw_dropout(&layers[l], rows, mix(mix(adam->dropout_key + adam->step) + (uint64_t)l));
        pass(model, model->input, input_row, rows, 1);
        lose(model, rows, 1, totals);
        for (int32_t l = model->count - 1; l > 0; l--) {
            // The gradient flows on through the weights as they were, so before they learn.
            backward(&layers[l], &layers[l - 1], rows);
            learn(model, &layers[l], layers[l - 1].output, (size_t)layers[l - 1].stride, rows, &step);
        }
        learn(model, &layers[0], model->input, input_row, rows, &step);
    }
}

static void evaluate(erm_model *model, const erm_samples *samples, size_t from, size_t to, erm_totals *totals) {
    size_t width = (size_t)model->layers[0].inputs;
    for (; from < to; from += (size_t)model->rows) {
        int32_t rows = (int32_t)(to - from < (size_t)model->rows ? to - from : (size_t)model->rows);
        for (int32_t i = 0; i < rows; i++) gather_target(model, samples, from + (size_t)i, i);
        pass(model, samples->inputs + from * width, width, rows, 0);
        lose(model, rows, 0, totals);
    }
}

// Twelve chains of fused multiply-adds, enough to hide their latency, that stay near 1 and touch no memory.
static double peak(size_t iterations) {
    vf sum[12];
    volatile float seed = 1;
    vf a = splat(seed * 0.999f), b = splat(seed * 0.001f);
    for (int i = 0; i < 12; i++) sum[i] = splat(seed + (float)i);
    for (size_t n = 0; n < iterations; n++) {
        UNROLL for (int i = 0; i < 12; i++) sum[i] = fma_vector(sum[i], a, b);
    }
    vf total = splat(0);
    for (int i = 0; i < 12; i++) total += sum[i];
    volatile float sink = total[0];
    (void)sink;
    return (double)iterations * 12 * VW * 2;
}

const erm_kernels KERNELS = {predict, train, evaluate, peak};
