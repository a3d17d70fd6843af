import Foundation

@testable import TenantAdmin

extension ImportSettings {
    /// - Parameter minimum: none, so that no test depends on the machine's speed.
    static func testing(
        uploads: Int = 64, minimum: UploadRate.Minimum = .init(bytesPerSecond: 0, window: .seconds(60)),
        pause: Duration = .seconds(1), spoolBytes: Int = 1 << 30, chunkBytes: Int = 1 << 20,
        directory: URL = FileManager.default.temporaryDirectory
    ) -> ImportSettings {
        ImportSettings(
            maximumUploads: uploads,
            space: SpoolSpace(for: .uploads, in: directory, limitBytes: spoolBytes, chunkBytes: chunkBytes),
            minimumRate: minimum, pause: pause)
    }
}

extension ExportSettings {
    static func testing(
        concurrent: Int = 32, spoolBytes: Int = 1 << 30, longestHeld: Duration? = nil
    ) -> ExportSettings {
        ExportSettings(
            maximumConcurrent: concurrent,
            space: SpoolSpace(
                for: .exports, in: FileManager.default.temporaryDirectory, limitBytes: spoolBytes, chunkBytes: 16_384,
                longestHeld: longestHeld))
    }
}

extension Imports {
    /// With turns of its own.
    init(_ service: TestService, _ settings: ImportSettings = .testing(), atOnce: Int = 4) {
        self.init(
            database: TenantDatabase(pool: service.pool), settings: settings, turns: BulkTurns(atOnce: atOnce))
    }
}
