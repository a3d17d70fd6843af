// Losses of the outputs and their gradient.

// Squared error everywhere, the common case, in vectors. NaN targets, pads among them, count as unknown.
static void squared_loss(const erm_model *model, int32_t rows, int learn, float share, erm_totals *totals) {
    const erm_layer *last = &model->layers[model->count - 1];
    for (int32_t u = 0; u < last->units; u += VW) {
        vf loss = splat(0), cells = splat(0);
        for (int32_t row = 0; row < rows; row++) {
            size_t at = (size_t)row * last->stride + u;
            vf y = load(last->output + at), t = load(model->target + at), w = splat(model->weight[row]);
            vi known = t == t;
            vf error = select(known, y - t, splat(0));
            cells += select(known, w, splat(0));
            vf weighted = error * w;
            loss = fma_vector(weighted, error, loss);
            if (!learn) continue;
            vf d = weighted * splat(2 * share);
            if (last->activation == ERM_SIGMOID) d *= y * (splat(1) - y);
            if (last->activation == ERM_RELU) d = select(y > splat(0), d, splat(0));
            store(last->delta + at, d);
        }
        for (int i = 0; i < VW; i++) {
            totals->loss += (double)loss[i];
            totals->cells += (double)cells[i];
        }
    }
}

// The natural logarithm of a normal number above 0 by exactly rounded operations only, so that every platform reports the
// same loss: x = m · 2^e with m in √½…√2, ln m = 2 artanh((m − 1) / (m + 1)).
static double logarithm(double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    int exponent = (int)(bits >> 52) - 1023;
    bits = (bits & 0xfffffffffffffull) | 0x3ff0000000000000ull;
    double m;
    memcpy(&m, &bits, sizeof m);
    if (m > 1.4142135623730951) {
        m *= 0.5;
        exponent++;
    }
    double s = (m - 1) / (m + 1), square = s * s, sum = 0;
    for (int n = 21; n > 0; n -= 2) sum = sum * square + 1.0 / n;
    return 2 * s * sum + exponent * 0.6931471805599453;
}

// Any mixture of losses, one output at a time.
static void mixed_loss(const erm_model *model, int32_t rows, int learn, float share, erm_totals *totals) {
    const erm_layer *last = &model->layers[model->count - 1];
    for (int32_t u = 0; u < last->units; u++) {
        erm_loss kind = model->losses[u];
        for (int32_t row = 0; row < rows; row++) {
            size_t at = (size_t)row * last->stride + u;
            float y = last->output[at], t = model->target[at], w = model->weight[row];
            float slope = last->activation == ERM_SIGMOID ? y * (1 - y) : last->activation == ERM_RELU ? y > 0 : 1;
            float d = 0;
            if (t == t) {
                float error = y - t;
                double loss;
                if (kind.code == ERM_PINBALL) {
                    float side = error < 0 ? -kind.level : 1 - kind.level;
                    loss = (double)(side * error);
                    d = error == 0 ? 0 : side * slope;
                } else if (kind.code == ERM_CROSS_ENTROPY) {
                    // The slope of the sigmoid cancels against that of the logarithms.
                    double p = y < 1e-7f ? 1e-7 : y > 1 - 1e-7f ? 1 - 1e-7 : (double)y;
                    loss = -(double)t * logarithm(p) - (1 - (double)t) * logarithm(1 - p);
                    if (y != y) loss = (double)y;  // a diverged network must show
                    d = error;
                } else {
                    loss = (double)error * (double)error;
                    d = 2 * error * slope;
                }
                totals->loss += (double)w * loss;
                totals->cells += (double)w;
                d *= w * share;
            }
            if (learn) last->delta[at] = d;
        }
    }
}

// Adds the loss of the batch in `model`; with `learn` writes the last layer's delta. The gradient is of the mean over
// rows × outputs, unknown cells counted, as Keras has it with sample weights.
static void lose(const erm_model *model, int32_t rows, int learn, erm_totals *totals) {
    const erm_layer *last = &model->layers[model->count - 1];
    float share = 1.0f / ((float)rows * (float)last->units);
    if (model->losses) mixed_loss(model, rows, learn, share, totals);
    else squared_loss(model, rows, learn, share, totals);
    if (model->judged < 0) return;
    for (int32_t row = 0; row < rows; row++) {
        size_t at = (size_t)row * last->stride + (size_t)model->judged;
        float t = model->target[at];
        if (t != t) continue;
        totals->judged += (double)model->weight[row];
        if ((last->output[at] >= 0.5f) == (t >= 0.5f)) totals->matches += (double)model->weight[row];
    }
}
