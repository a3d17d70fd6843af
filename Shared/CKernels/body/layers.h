// A layer's forward pass, its share of back-propagation, and dropout's random numbers.

// Columns that carry units, rounded up to whole vectors of this level.
INLINE int32_t active(int32_t units) { return (units + VW - 1) / VW * VW; }

// Outputs of `layer` for rows at `a`, `a_row` floats apart. With `dropout` the layer's keep factors are applied.
static void forward(const erm_layer *layer, const float *a, size_t a_row, int32_t rows, int dropout) {
    int32_t columns = active(layer->units);
    product q = {
        .a = a, .a_row = a_row, .a_step = 1, .b = layer->weights, .b_stride = (size_t)layer->stride, .rows = rows,
        .columns = columns, .depth = layer->inputs, .c = layer->output, .c_stride = (size_t)layer->stride,
        .extra = layer->weights + (size_t)layer->inputs * layer->stride, .keep = layer->keep,
    };
    dropout = dropout && layer->drop;
    if (layer->activation == ERM_RELU) {
        if (dropout) multiply_forward_relu_dropout(&q);
        else multiply_forward_relu(&q);
        return;
    }
    multiply_forward(&q);
    if (layer->activation == ERM_LINEAR && !dropout) return;
    for (int32_t row = 0; row < rows; row++)
        for (int32_t u = 0; u < columns; u += VW) {
            size_t at = (size_t)row * layer->stride + u;
            vf y = load(layer->output + at);
            if (layer->activation == ERM_SIGMOID) y = sigmoid(y);
            if (dropout) y *= load(layer->keep + at);
            store(layer->output + at, y);
        }
}

// delta of `below` from the delta of `layer` above it.
static void backward(const erm_layer *layer, const erm_layer *below, int32_t rows) {
    int32_t columns = active(below->units);
    product q = {
        .a = layer->delta, .a_row = (size_t)layer->stride, .a_step = 1, .b = layer->transposed,
        .b_stride = (size_t)layer->input_stride, .rows = rows, .columns = columns, .depth = layer->units,
        .c = below->delta, .c_stride = (size_t)below->stride, .extra = below->output, .scale = below->keep_scale,
    };
    if (below->activation == ERM_RELU) return multiply_backward_relu(&q);
    multiply_plain(&q);
    if (below->activation == ERM_LINEAR && !below->drop) return;
    for (int32_t row = 0; row < rows; row++)
        for (int32_t u = 0; u < columns; u += VW) {
            size_t at = (size_t)row * below->stride + u;
            vf d = load(below->delta + at);
            vf y = load(below->output + at);
            if (below->drop) {
                vf keep = load(below->keep + at);
                d *= keep;
                y = select(keep > splat(0), y / splat(below->keep_scale), splat(0));
            }
            if (below->activation == ERM_SIGMOID) d *= y * (splat(1) - y);
            store(below->delta + at, d);
        }
}

// Writes the transposed kernel that `backward` reads, in blocks of VW × VW.
static void transpose(const erm_layer *layer) {
    for (int32_t k = 0; k < layer->inputs; k += VW)
        for (int32_t u = 0; u < layer->units; u += VW)
            transpose_block(
                layer->weights + (size_t)k * layer->stride + u, (size_t)layer->stride,
                layer->transposed + (size_t)u * layer->input_stride + k, (size_t)layer->input_stride,
                layer->inputs - k, layer->units - u);
}

// Gradient and Adam step of `layer`, whose inputs for the batch are `a`.
static void learn(const erm_model *model, erm_layer *layer, const float *a, size_t a_row, int32_t rows,
                  const adam_step *step) {
    int32_t columns = active(layer->units);
    product q = {
        .a = a, .a_row = 1, .a_step = a_row, .b = layer->delta, .b_stride = (size_t)layer->stride,
        .rows = layer->inputs, .columns = columns, .depth = rows, .c = layer->weights, .c_stride = (size_t)layer->stride,
        .first = model->first + layer->offset, .second = model->second + layer->offset, .adam = step,
    };
    multiply_learn(&q);
    size_t bias = (size_t)layer->inputs * layer->stride;
    for (int32_t u = 0; u < columns; u += VW) {
        vf sum = splat(0);
        for (int32_t row = 0; row < rows; row++) sum += load(layer->delta + (size_t)row * layer->stride + u);
        float *w = layer->weights + bias + u;
        store(w, adam(step, sum, load(w), q.first + bias + u, q.second + bias + u, 1));
    }
    if (layer->transposed) transpose(layer);
}

INLINE uint64_t mix(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}

// Keep factors of one batch. Counter-based: 16 random bits per output, a hash of (key, step, layer, position), whatever the
// width of a vector or the order of work. The hash is a 32-bit multiply-xorshift with a second key word between the rounds.
static void draw_dropout(const erm_layer *layer, int32_t rows, uint64_t key) {
    vu lane;
    for (int i = 0; i < VW; i++) lane[i] = (uint32_t)i;
    const vu key1 = (vu)(uint32_t)key, key2 = (vu)(uint32_t)(key >> 32);
    const vi drop = (vi)(int32_t)layer->drop;
    const vf scale = splat(layer->keep_scale);
    int32_t columns = active(layer->units);
    uint32_t position = 0;
    for (int32_t row = 0; row < rows; row++) {
        float *keep = layer->keep + (size_t)row * layer->stride;
        for (int32_t u = 0; u < columns; u += 2 * ERM_LANES)
            for (int32_t part = 0; part < ERM_LANES; part += VW, position += VW) {
                if (u + part >= columns) continue;
                vu x = (vu)(position) + lane + key1;
                x = (x ^ (x >> 16)) * (vu)(0x7feb352du);
                x = ((x ^ (x >> 15)) + key2) * (vu)(0x846ca68bu);
                x ^= x >> 16;
                store(keep + u + part, select((vi)(x & (vu)(0xffffu)) >= drop, scale, splat(0)));
                if (u + ERM_LANES + part < columns)
                    store(keep + u + ERM_LANES + part, select((vi)(x >> 16) >= drop, scale, splat(0)));
            }
    }
}
