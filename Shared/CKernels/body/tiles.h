// The one matrix product behind everything: C[row][col] = Σ_p A(row, p) · B[p][col], in tiles that stay in registers.
//
// Lanes run along the columns (units), A's elements are broadcast, and every sum runs over p in rising order, so a result does
// not depend on the width of a vector or the size of a tile.

// What is done with a finished tile.
enum { PLAIN, FORWARD, FORWARD_RELU, FORWARD_RELU_DROPOUT, BACKWARD_RELU, LEARN };

typedef struct {
    const float *a;  // A(row, p) = a[row * a_row + p * a_step]
    size_t a_row, a_step;
    const float *b;  // B[p][col] = b[p * b_stride + col]
    size_t b_stride;
    int32_t rows, columns, depth;  // columns is a multiple of VW
    float *c;
    size_t c_stride;
    const float *extra;  // forward: bias [col]; dropout: see keep; backward: output of the layer below [row][c_stride]
    const float *keep;   // [row][c_stride]
    float scale;         // backward: 1 / (1 − dropout rate)
    float *first, *second;  // Adam's moments, laid out as c
    const struct adam_step *adam;
} product;

// Adam's constants of one step.
typedef struct adam_step {
    float rate, gain1, gain2, epsilon, shrink;
} adam_step;

// w −= rate · m / (√v + ε) after m and v took in the gradient; `shrink` is 1 − learning rate × weight decay.
INLINE vf adam(const adam_step *s, vf g, vf w, float *first, float *second, float shrink) {
    vf m = load(first), v = load(second);
    m = fma_vector(g - m, splat(s->gain1), m);
    v = fma_vector(fma_vector(g, g, -v), splat(s->gain2), v);
    store(first, m);
    store(second, v);
    return fma_vector(w, splat(shrink), -(splat(s->rate) * m) / (root(v) + splat(s->epsilon)));
}

INLINE void finish(const product *q, int kind, size_t at, vf sum) {
    float *c = q->c + at;
    switch (kind) {
    case FORWARD_RELU: sum = positive_part(sum); break;
    case FORWARD_RELU_DROPOUT: sum = positive_part(sum) * load(q->keep + at); break;
    case BACKWARD_RELU: sum = select(load(q->extra + at) > splat(0), sum * splat(q->scale), splat(0)); break;
    case LEARN: sum = adam(q->adam, sum, load(c), q->first + at, q->second + at, q->adam->shrink); break;
    default: break;
    }
    store(c, sum);
}

// `mr` rows by `nv` vectors; both are constants at every call, so the sums live in registers.
INLINE void tile(const product *q, int kind, int mr, int nv, size_t row, size_t column) {
    vf sum[MR][NV];
    int forward = kind == FORWARD || kind == FORWARD_RELU || kind == FORWARD_RELU_DROPOUT;
    UNROLL for (int i = 0; i < mr; i++)
        UNROLL for (int j = 0; j < nv; j++)
            sum[i][j] = forward ? load(q->extra + column + j * VW) : splat(0);
    const float *a = q->a + row * q->a_row;
    const float *b = q->b + column;
    size_t a_row = q->a_row, a_step = q->a_step, b_stride = q->b_stride;
    for (int32_t p = q->depth; p > 0; p--) {
        vf right[NV];
        UNROLL for (int j = 0; j < nv; j++) right[j] = load(b + j * VW);
        UNROLL for (int i = 0; i < mr; i++) {
            vf left = splat(a[i * a_row]);
            UNROLL for (int j = 0; j < nv; j++) sum[i][j] = fma_vector(left, right[j], sum[i][j]);
        }
        a += a_step;
        b += b_stride;
    }
    UNROLL for (int i = 0; i < mr; i++)
        UNROLL for (int j = 0; j < nv; j++)
            finish(q, kind, (row + (size_t)i) * q->c_stride + column + (size_t)j * VW, sum[i][j]);
}

// All rows of one panel of `nv` vectors.
INLINE void panel(const product *q, int kind, int nv, size_t column) {
    size_t row = 0, rows = (size_t)q->rows;
    for (; row + MR <= rows; row += MR) tile(q, kind, MR, nv, row, column);
    switch (rows - row) {
#if MR > 4
    case 7: tile(q, kind, 7, nv, row, column); break;
    case 6: tile(q, kind, 6, nv, row, column); break;
    case 5: tile(q, kind, 5, nv, row, column); break;
    case 4: tile(q, kind, 4, nv, row, column); break;
#endif
    case 3: tile(q, kind, 3, nv, row, column); break;
    case 2: tile(q, kind, 2, nv, row, column); break;
    case 1: tile(q, kind, 1, nv, row, column); break;
    default: break;
    }
}

INLINE void multiply(const product *q, int kind) {
    size_t column = 0, columns = (size_t)q->columns;
    for (; column + NV * VW <= columns; column += NV * VW) panel(q, kind, NV, column);
#if NV > 2
    for (; column + 2 * VW <= columns; column += 2 * VW) panel(q, kind, 2, column);
#endif
    for (; column < columns; column += VW) panel(q, kind, 1, column);
}

// One function per use, so that each is compiled once.
static __attribute__((noinline)) void multiply_plain(const product *q) { multiply(q, PLAIN); }
static __attribute__((noinline)) void multiply_forward(const product *q) { multiply(q, FORWARD); }
static __attribute__((noinline)) void multiply_forward_relu(const product *q) { multiply(q, FORWARD_RELU); }
static __attribute__((noinline)) void multiply_forward_relu_dropout(const product *q) {
    multiply(q, FORWARD_RELU_DROPOUT);
}
static __attribute__((noinline)) void multiply_backward_relu(const product *q) { multiply(q, BACKWARD_RELU); }
static __attribute__((noinline)) void multiply_learn(const product *q) { multiply(q, LEARN); }
