import Foundation
import ServiceKit

/// What an operator sets for uploads.
struct ImportSettings: Sendable {
    /// How many uploads may be under way on this node.
    let maximumUploads: Int
    let space: SpoolSpace
    let minimumRate: UploadRate.Minimum
    /// How often an upload is judged, and its progress written down.
    var pause = Duration.seconds(1)
}

extension ImportSettings {
    init(_ settings: ServiceSettings) {
        self.init(
            maximumUploads: settings.int("imports.max-uploads"),
            space: SpoolSpace(
                for: .uploads, in: settings.spoolDirectory, limitBytes: settings.int("imports.spool-limit-mib") << 20),
            minimumRate: UploadRate.Minimum(
                bytesPerSecond: settings.int("imports.minimum-bytes-per-second"), window: .seconds(30)))
    }
}

extension ServiceSettings {
    /// Where files are kept on their way in and out.
    var spoolDirectory: URL {
        optionalString("imports.spool-directory").map { URL(fileURLWithPath: $0, isDirectory: true) }
            ?? FileManager.default.temporaryDirectory
    }
}
