public import Foundation
import Synchronization

/// Bytes spilt to disk, in a file without a name: only its owner can read it, and it is gone with its last user, however
/// the process ends.
public final class SpillFile: Sendable {
    public struct Extent: Sendable {
        public let offset: Int
        public let count: Int

        public init(offset: Int, count: Int) {
            self.offset = offset
            self.count = count
        }
    }

    private let descriptor: Int32
    private let length = Mutex(0)

    /// - Throws: ``SpillError`` when the directory does not let files be made in it.
    public init(in directory: URL) throws(SpillError) {
        var path = Array(directory.appendingPathComponent("erm-spill-XXXXXX").path.utf8CString)
        descriptor = mkstemp(&path)
        guard descriptor >= 0 else { throw SpillError(code: errno) }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        unlink(path)
    }

    deinit { close(descriptor) }

    /// - Throws: ``SpillError``, as when the disk is full.
    public func append(_ bytes: [UInt8]) throws(SpillError) -> Extent {
        let extent = length.withLock { length in
            defer { length += bytes.count }
            return Extent(offset: length, count: bytes.count)
        }
        try transfer(extent.count, at: extent.offset) { done, offset in
            bytes.withUnsafeBytes { pwrite(descriptor, $0.baseAddress! + done, $0.count - done, offset) }
        }
        return extent
    }

    /// The extent's bytes, behind those that are there.
    public func read(_ extent: Extent, to bytes: inout [UInt8]) throws(SpillError) {
        let start = bytes.count
        bytes.append(contentsOf: repeatElement(0, count: extent.count))
        try transfer(extent.count, at: extent.offset) { done, offset in
            bytes.withUnsafeMutableBytes {
                pread(descriptor, $0.baseAddress! + start + done, extent.count - done, offset)
            }
        }
    }

    /// Asks the system until all bytes are moved: it may move fewer than asked for.
    private func transfer(
        _ count: Int, at offset: Int, _ move: (_ done: Int, _ offset: off_t) -> Int
    ) throws(SpillError) {
        var done = 0
        while done < count {
            let moved = move(done, off_t(offset + done))
            if moved < 0, errno == EINTR { continue }
            guard moved > 0 else { throw SpillError(code: moved < 0 ? errno : EIO) }
            done += moved
        }
    }
}

/// The temporary directory could not hold what does not fit into memory. It may be able to later.
public struct SpillError: Error, CustomStringConvertible {
    /// Of `errno`.
    public let code: Int32

    public init(code: Int32) { self.code = code }

    public var description: String { "the temporary directory failed: \(String(cString: strerror(code)))" }
}
