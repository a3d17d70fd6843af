import Foundation

/// Files that hold secrets.
enum PrivateFile {
    /// Replaces the file in one step, once its contents are on the disk; it is readable by its owner only from the first byte on.
    /// - Throws: ``CommandFailure`` that names the file and the reason; what was there before stays then.
    static func write(_ bytes: [UInt8], to url: URL) throws {
        let temporary = url.deletingLastPathComponent().appendingPathComponent(".\(url.lastPathComponent).\(UUID())")
        do {
            let file = try create(temporary)
            defer { try? file.close() }
            try file.write(contentsOf: bytes)
            try file.synchronize()
            guard rename(temporary.path, url.path) == 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
        } catch {
            try? FileManager.default.removeItem(at: temporary)
            throw CommandFailure("Cannot write \(url.path): \(reason(error)).")
        }
    }

    /// Makes a folder that only its owner may look into, with those above it; one that is there stays as it is.
    /// - Throws: ``CommandFailure`` that names the folder and the reason.
    static func makeFolder(_ url: URL) throws {
        do {
            try FileManager.default.createDirectory(
                at: url, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw CommandFailure("Cannot make the folder \(url.path): \(reason(error)).")
        }
    }

    /// An empty file that only its owner may read. Not by `FileManager.createFile`, which sets the permissions of a file that others could
    /// read already.
    /// - Throws: `POSIXError`, also where there is a file of that name.
    static func create(_ url: URL) throws -> FileHandle {
        let descriptor = open(url.path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
        return FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    }

    /// What the system says of an error of Foundation's, whose own words are long and unlike from system to system.
    static func reason(_ error: any Error) -> String {
        let underlying = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
        let code = (error as? POSIXError)?.code.rawValue ?? underlying.map { Int32($0.code) }
        return code.map { String(cString: strerror($0)) } ?? "\(error)"
    }
}
