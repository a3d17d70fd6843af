import ServiceKit

/// What an operator sets for exports.
struct ExportSettings: Sendable {
    /// How many may be under way on this node.
    let maximumConcurrent: Int
    let space: SpoolSpace
}

extension ExportSettings {
    init(_ settings: ServiceSettings) {
        self.init(
            maximumConcurrent: settings.int("exports.max-concurrent"),
            space: SpoolSpace(
                for: .exports, in: settings.spoolDirectory, limitBytes: settings.int("exports.spool-limit-mib") << 20,
                longestHeld: .seconds(10)))
    }
}
