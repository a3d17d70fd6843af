import Foundation

/// What a durable write costs on a disk: the least that a commit can take.
enum DiskCommits {
    /// Writes of a database page, each forced to the disk before the next, for a second.
    static func perSecond(in folder: String) throws -> Double {
        let path = URL(fileURLWithPath: folder).appendingPathComponent("erm-disk-\(UUID())").path
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL, 0o600)
        guard file >= 0 else { throw CommandFailure("Cannot write to \(folder).") }
        defer {
            close(file)
            unlink(path)
        }
        let page = [UInt8](repeating: 7, count: 8_192)
        // As a write-ahead log does, over space that is there already.
        for place in 0..<256 {
            guard pwrite(file, page, page.count, off_t(place * page.count)) == page.count else { break }
        }
        fsync(file)
        let start = ContinuousClock.now
        var count = 0
        while ContinuousClock.now - start < .seconds(1) {
            guard pwrite(file, page, page.count, off_t(count % 256 * page.count)) == page.count, fdatasync(file) == 0
            else { throw CommandFailure("Cannot write to \(folder).") }
            count += 1
        }
        return Double(count) / ((ContinuousClock.now - start) / .seconds(1))
    }
}
