// Kernels of a small feed-forward network: forward pass, back-propagation with Adam, evaluation.
// One C source compiled per instruction set (see levels/), chosen at run time by the caller.
// Shared/NeuralNetwork imports the kernels; Shared/Forecasting uses erm_prefetch, trees and linear models.
#ifndef ERM_CKERNELS_H
#define ERM_CKERNELS_H

#include <stddef.h>
#include <stdint.h>

// Asks for the cache line of `address`, which need not be valid, without waiting for it.
static inline void erm_prefetch(const void *address) { __builtin_prefetch(address); }

// Activation codes of a dense layer.
enum { ERM_LINEAR = 0, ERM_RELU = 1, ERM_SIGMOID = 2 };

// Loss codes of one output.
enum { ERM_SQUARED = 0, ERM_PINBALL = 1, ERM_CROSS_ENTROPY = 2 };

// Instruction-set levels, in rising order.
enum { ERM_BASELINE = 0, ERM_AVX2 = 1, ERM_AVX512 = 2 };

// One dense layer and the inverted dropout that follows it.
typedef struct {
    int32_t inputs;
    int32_t units;
    int32_t activation;
    uint32_t drop;     // outputs dropped of 65,536; 0 for no dropout
    float keep_scale;  // 65,536 / (65,536 - drop)
} erm_dense;

// Loss of one output: its code, and the level in 0…1 of a pinball loss.
typedef struct {
    int32_t code;
    float level;
} erm_loss;

// Rows of a training or validation set, row-major; weights may be null (all 1). A target that is NaN is unknown.
typedef struct {
    const float *inputs;
    const float *targets;
    const float *weights;
    size_t rows;
} erm_samples;

// Adam's settings and its running state. The powers start at 1 and are multiplied once per step.
typedef struct {
    double learning_rate, beta1, beta2, epsilon, weight_decay;
    double beta1_power, beta2_power;
    uint64_t step;
    uint64_t dropout_key;
} erm_adam;

// Sums over rows; `loss` is over known cells, `cells` their weight, `matches` of `judged` are right on the judged output.
typedef struct {
    double loss, cells, matches, judged;
} erm_totals;

// Packed parameters and scratch memory of one network; used by one thread at a time.
typedef struct erm_model erm_model;

// Null when memory is short. `rows` is the largest batch; `training` adds room for moments and gradients.
erm_model *erm_model_create(const erm_dense *layers, int32_t count, int32_t rows, int32_t training);
void erm_model_destroy(erm_model *model);

// Copies to and from canonical order: per layer the kernel [inputs][units], then the bias [units].
void erm_model_load(erm_model *model, const float *parameters);
void erm_model_store(const erm_model *model, float *parameters);
void erm_model_load_moments(erm_model *model, const float *first, const float *second);
void erm_model_store_moments(const erm_model *model, float *first, float *second);

// Losses of the outputs (null: squared everywhere) and the output whose accuracy is counted (-1: none).
// Gives 0 when memory is short.
int32_t erm_model_set_losses(erm_model *model, const erm_loss *losses, int32_t judged_output);

int32_t erm_level_best(void);

// Rows through the network without dropout; `outputs` takes rows × outputs of the last layer.
void erm_predict(erm_model *model, int32_t level, const float *inputs, size_t rows, float *outputs);

// One pass over order[from..<to] in batches of at most `batch` rows, an Adam step each.
void erm_train(
    erm_model *model, int32_t level, const erm_samples *samples, const uint32_t *order, size_t from, size_t to,
    int32_t batch, erm_adam *adam, erm_totals *totals);

// Adds the losses of rows [from, to) without dropout and without learning.
void erm_evaluate(
    erm_model *model, int32_t level, const erm_samples *samples, size_t from, size_t to, erm_totals *totals);

// Runs register-only fused multiply-adds (multiply and add at the baseline); returns the floating-point operations done.
double erm_peak(int32_t level, size_t iterations);

// Models that are asked about many rows at once (Shared/Forecasting).
enum {
    ERM_ROWS = 32,    // rows of one block
    ERM_LEAVES = 32,  // the most leaves of a tree
    ERM_LINEARS = 4,  // the most linear models that are asked together
};

// Where a row of a tree goes right: then the leaves on the left are out.
typedef struct {
    float threshold;
    int32_t column;  // its place in the block
    uint32_t keep;   // all leaves but those on the left
} erm_cut;

// A tree by its place in the sum and where its cuts and the table of its leaves, of erm_table_size values, begin.
typedef struct {
    int32_t number, cuts, table;
} erm_tree;

// Trees as cuts (QuickScorer, Lucchese and others 2015): of the leaves that no cut takes away the first is the row's. A tree with n
// cuts has n + 1 leaves. Trees without a cut are not asked.
typedef struct {
    int32_t count;          // of all trees, with those without a cut
    const int32_t *starts;  // per number of cuts up to ERM_LEAVES, where in `trees` those with so many begin
    const erm_tree *trees;
    const erm_cut *cuts;
    const float *tables;
    float *values;  // trees × ERM_ROWS: what each tree says; to be filled in for those without a cut
} erm_forest;

// How many places the table of a tree's leaves has, and at which of them a leaf is: where the processor's way to find it looks.
static inline int32_t erm_table_size(int32_t cuts) { return cuts < 8 ? 8 : cuts < 16 ? 16 : 32; }
static inline int32_t erm_table_place(int32_t leaf, int32_t size) { return (leaf + 127) & (size - 1); }

// Linear models on columns that are standardised alike. A column that is the same for all rows has no place in the block but terms.
typedef struct {
    int32_t models, columns;
    const int32_t *places;            // per column, its place in the block; -1 for none
    const double *means, *deviations; // per column; deviations of those with a place are above 0
    const double *lows, *highs;       // per column, in deviations: where standardised values are cut
    const double *terms, *weights;    // per column and model
    const double *intercepts;         // per model
} erm_linear;

// For each of ERM_ROWS moments (float) log1p(max(0, now - moment) / 86400), to the bit; a missing moment stays missing.
void erm_ages(int32_t level, double now, const double *moments, float *ages);

// For each of ERM_ROWS rows the sum of its leaves. `block` holds columns of ERM_ROWS values each.
void erm_forest_sums(int32_t level, const erm_forest *forest, const float *block, double *sums);
// The same of linear models: ERM_ROWS sums of each, one model after the other.
void erm_linear_sums(int32_t level, const erm_linear *linear, const float *block, double *sums);

#endif
