// Transposes a block of VW × VW, or of fewer rows and columns at an edge; pads of the target are written as zero pads of the
// source are zero.

// Interleaves the low, or the high, halves of two vectors.
#if VW == 16
#define LOW(a, b) __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define HIGH(a, b) __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
#elif VW == 8
#define LOW(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
#define HIGH(a, b) __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15)
#else
#define LOW(a, b) __builtin_shufflevector(a, b, 0, 4, 1, 5)
#define HIGH(a, b) __builtin_shufflevector(a, b, 2, 6, 3, 7)
#endif

static __attribute__((noinline)) void transpose_block(
    const float *from, size_t from_stride, float *to, size_t to_stride, int32_t rows, int32_t columns) {
    vf v[VW], t[VW];
    if (rows >= VW) {
        UNROLL for (int i = 0; i < VW; i++) v[i] = load(from + i * from_stride);
    } else {
        UNROLL for (int i = 0; i < VW; i++) v[i] = i < rows ? load(from + i * from_stride) : splat(0);
    }
    // Each round is a perfect shuffle of rows; log2(VW) of them transpose.
    UNROLL for (int round = 1; round < VW; round *= 2) {
        UNROLL for (int i = 0; i < VW / 2; i++) {
            t[2 * i] = LOW(v[i], v[i + VW / 2]);
            t[2 * i + 1] = HIGH(v[i], v[i + VW / 2]);
        }
        UNROLL for (int i = 0; i < VW; i++) v[i] = t[i];
    }
    if (columns >= VW) {
        UNROLL for (int i = 0; i < VW; i++) store(to + i * to_stride, v[i]);
    } else {
        UNROLL for (int i = 0; i < VW; i++)
            if (i < columns) store(to + i * to_stride, v[i]);
    }
}
#undef LOW
#undef HIGH
