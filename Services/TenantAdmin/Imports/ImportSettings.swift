import Foundation
import ServiceKit

/// What an operator sets for uploads.
struct ImportSettings: Sendable {
    /// How many imports may be under way on this node.
    let maximumConcurrent: Int
    let space: SpoolSpace
    let minimumRate: UploadRate.Minimum
    /// How often an upload is judged, and its progress written down.
    var pause = Duration.seconds(1)
}

extension ImportSettings {
    init(_ settings: ServiceSettings) {
        let directory = settings.optionalString("imports.spool-directory").map {
            URL(fileURLWithPath: $0, isDirectory: true)
        }
        self.init(
            maximumConcurrent: settings.int("imports.max-concurrent"),
            space: SpoolSpace(
                directory: directory ?? FileManager.default.temporaryDirectory,
                limitBytes: settings.int("imports.spool-limit-mib") << 20),
            minimumRate: UploadRate.Minimum(
                bytesPerSecond: settings.int("imports.minimum-bytes-per-second"), window: .seconds(30)))
    }
}
