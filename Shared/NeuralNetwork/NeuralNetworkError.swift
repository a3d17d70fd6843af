/// What went wrong in this library; ``description`` is safe to show to anyone.
public struct NeuralNetworkError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kind of failure.
    public enum Code: String, Sendable, Equatable {
        /// The architecture has no dense layer, a size below 1, or a dropout in a wrong place.
        case invalidArchitecture
        /// An option is out of its range.
        case invalidOptions
        /// The rows given do not fit the architecture or each other.
        case shapeMismatch
        /// Bytes are not of this format, are cut short or damaged.
        case corruptData
        /// Bytes are of a newer version of the format.
        case unsupportedVersion
        /// The caller asked to stop; the trainer is as it was before the epoch.
        case cancelled
        /// A loss or a weight is no longer a finite number: the learning rate is too high or the rows are not scaled.
        case diverged
        /// The system has no memory for the network's buffers.
        case outOfMemory
    }

    /// The kind of failure.
    public let code: Code
    /// One sentence for people.
    public let description: String

    init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}
