import Foundation

@testable import TenantAdmin

extension ImportSettings {
    /// - Parameter minimum: none, so that no test depends on the machine's speed.
    static func testing(
        concurrent: Int = 4, minimum: UploadRate.Minimum = .init(bytesPerSecond: 0, window: .seconds(60)),
        pause: Duration = .seconds(1), spoolBytes: Int = 1 << 30, chunkBytes: Int = 1 << 20,
        directory: URL = FileManager.default.temporaryDirectory
    ) -> ImportSettings {
        ImportSettings(
            maximumConcurrent: concurrent,
            space: SpoolSpace(directory: directory, limitBytes: spoolBytes, chunkBytes: chunkBytes),
            minimumRate: minimum, pause: pause)
    }
}
