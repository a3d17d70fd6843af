internal import CKernels

/// The instruction set that the numeric kernels use.
///
/// On x86-64 the best one the processor has is found at run time. AVX2 and AVX-512 give identical bits, because every sum is
/// made in the same order with fused multiply-adds whatever the width; so does arm64, whose only level is
/// ``baseline`` with NEON's fused multiply-add. The x86-64 baseline (SSE2) has no fused multiply-add: its results differ in
/// the last places.
public enum KernelLevel: String, Sendable, Codable, CaseIterable, Comparable {
    /// 128-bit vectors: SSE2 on x86-64, NEON on arm64.
    case baseline
    /// 256-bit vectors with fused multiply-add.
    case avx2
    /// 512-bit vectors with fused multiply-add.
    case avx512

    /// The highest level this processor and operating system support.
    public static let best: KernelLevel = KernelLevel(code: erm_level_best())

    /// The levels that may be used here, in rising order.
    public static var available: [KernelLevel] { allCases.filter { $0 <= best } }

    public static func < (left: KernelLevel, right: KernelLevel) -> Bool { left.code < right.code }

    var code: Int32 {
        switch self {
        case .baseline: Int32(ERM_BASELINE)
        case .avx2: Int32(ERM_AVX2)
        case .avx512: Int32(ERM_AVX512)
        }
    }

    private init(code: Int32) {
        self = Self.allCases.last { $0.code <= code } ?? .baseline
    }

    /// Runs fused multiply-adds that touch no memory (a multiply and an add at the x86-64 baseline), `iterations` times over
    /// a full set of registers, and gives the floating-point operations done: the one-core peak, if timed.
    public func runPeakKernel(iterations: Int) -> Double {
        erm_peak(code, iterations)
    }
}
