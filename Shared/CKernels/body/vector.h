// Vectors of VW floats and the few operations the kernels need. Included once per level, with VW, FUSED and NAME set.

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")

typedef float vf __attribute__((ext_vector_type(VW)));
typedef int32_t vi __attribute__((ext_vector_type(VW)));
typedef uint32_t vu __attribute__((ext_vector_type(VW)));
// The same at any address.
typedef float vf_unaligned __attribute__((ext_vector_type(VW), aligned(4)));

INLINE vf load(const float *at) { return *(const vf *)at; }
INLINE void store(float *at, vf value) { *(vf *)at = value; }
INLINE vf load_unaligned(const float *at) { return *(const vf_unaligned *)at; }
INLINE vf splat(float value) { return (vf)(value); }

// a·b + c: rounded once where the level has fused multiply-add, twice where it has not.
INLINE vf fma_vector(vf a, vf b, vf c) {
#if FUSED
    return __builtin_elementwise_fma(a, b, c);
#else
    return a * b + c;
#endif
}

INLINE vf select(vi mask, vf yes, vf no) { return mask ? yes : no; }
INLINE vf root(vf x) { return __builtin_elementwise_sqrt(x); }
// Both let NaN through, so that a diverged network shows.
INLINE vf positive_part(vf x) { return select(x < splat(0), splat(0), x); }
INLINE vf clamp(vf x, float limit) {
    x = select(x < splat(-limit), splat(-limit), x);
    return select(x > splat(limit), splat(limit), x);
}

// e^x by 2^n · e^r, r in ±ln 2 / 2, a polynomial of degree 6 (Taylor with the tail balanced; error below 2 units in the
// last place). Arguments are clamped to ±87, where the result is still a normal number.
INLINE vf exponential(vf x) {
    x = clamp(x, 87.0f);
    // Adding 1.5·2^23 rounds to an integer in the low bits.
    const vf magic = splat(12582912.0f);
    vf shifted = fma_vector(x, splat(1.44269504088896341f), magic);
    vf n = shifted - magic;
    vf r = fma_vector(n, splat(-0.693359375f), x);
    r = fma_vector(n, splat(2.12194440e-4f), r);
    vf p = splat(1.9875691500e-4f);
    p = fma_vector(p, r, splat(1.3981999507e-3f));
    p = fma_vector(p, r, splat(8.3334519073e-3f));
    p = fma_vector(p, r, splat(4.1665795894e-2f));
    p = fma_vector(p, r, splat(1.6666665459e-1f));
    p = fma_vector(p, r, splat(5.0000001201e-1f));
    p = fma_vector(p, r * r, r + splat(1.0f));
    // Between vectors of one size a cast keeps the bits.
    vi exponent = ((vi)shifted - (vi)magic) << 23;
    return (vf)((vi)p + exponent);
}

INLINE vf sigmoid(vf x) { return splat(1.0f) / (splat(1.0f) + exponential(-x)); }

INLINE vf activate(vf z, int32_t activation) {
    if (activation == ERM_RELU) return positive_part(z);
    if (activation == ERM_SIGMOID) return sigmoid(z);
    return z;
}
