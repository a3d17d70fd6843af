import Basics
import Contracts
import Crypto
import Foundation

/// An unpacked export.
struct ArchiveFolder {
    /// Whole lines of a file, for one request.
    struct Part: Equatable {
        let bytes: Range<Int>
        /// The number of its first line in the file.
        let firstLine: Int
        /// Others come after it.
        let more: Bool
    }

    struct File {
        let kind: ArchiveKind
        let url: URL
        /// At least one.
        let parts: [Part]
    }

    private let folder: URL
    private let partBytes: Int

    /// - Parameter partBytes: a part is not longer than this and one line.
    init(_ path: String, partBytes: Int = 128 << 20) {
        folder = URL(fileURLWithPath: path)
        self.partBytes = partBytes
    }

    /// The files that there are, in the order in which they are restored. Each is read once, a piece at a time.
    /// - Throws: ``CommandFailure`` for a file that is missing or not what `manifest.json` says, where there is one.
    func files(where isWanted: (ArchiveKind) -> Bool) throws -> [File] {
        let manifest = try manifest()
        return try ArchiveKind.allCases.filter(isWanted).compactMap { kind in
            guard let (url, parts) = try checked(kind.rawValue, manifest) else { return nil }
            // tenant-admin applies its own files in one transaction each.
            let whole = Part(bytes: 0..<(parts.last?.bytes.upperBound ?? 0), firstLine: 1, more: false)
            return File(kind: kind, url: url, parts: kind.service == .tenantAdmin ? [whole] : parts)
        }
    }

    /// Checks what `ermctl import` sends of it. A folder without `manifest.json` is no export, and has nothing to check.
    /// - Throws: ``CommandFailure`` for a file of people or work that is missing or not what `manifest.json` says.
    func checkImports() throws {
        guard let manifest = try manifest() else { return }
        for kind in ImportKind.allCases { _ = try checked(kind.rawValue, manifest) }
    }

    /// A file's parts, once it is what the manifest says; nil when neither has it.
    private func checked(_ kind: String, _ manifest: ArchiveManifest?) throws -> (url: URL, parts: [Part])? {
        let name = "\(kind).ndjson"
        let url = folder.appendingPathComponent(name)
        let expected = manifest?.files.first { $0.name == name }
        guard FileManager.default.fileExists(atPath: url.path) else {
            guard expected == nil else {
                throw CommandFailure("\(url.path) is missing, which manifest.json has. Unpack the archive again.")
            }
            return nil
        }
        let (parts, digest) = try read(url)
        if let expected, expected.sha256 != digest {
            throw CommandFailure(
                "\(url.path) is damaged: it has not the digest that manifest.json gives. Unpack the archive again.")
        }
        return (url, parts)
    }

    private func manifest() throws -> ArchiveManifest? {
        let url = folder.appendingPathComponent("manifest.json")
        guard FileManager.default.fileExists(atPath: url.path) else { return nil }
        do {
            return try WireJSON.decode(ArchiveManifest.self, from: Data(contentsOf: url))
        } catch {
            throw CommandFailure("\(url.path) is not the manifest of an export. Unpack the archive again.")
        }
    }

    private func read(_ file: URL) throws -> (parts: [Part], digest: String) {
        let handle = try FileHandle(forReadingFrom: file)
        defer { try? handle.close() }
        var hash = SHA256()
        var cuts: [(end: Int, lines: Int)] = []
        var (start, position, lines) = (0, 0, 0)
        while let data = try handle.read(upToCount: 1 << 20), !data.isEmpty {
            hash.update(data: data)
            for byte in data {
                position += 1
                guard byte == UInt8(ascii: "\n") else { continue }
                lines += 1
                if position - start >= partBytes {
                    cuts.append((position, lines))
                    start = position
                }
            }
        }
        if cuts.isEmpty || cuts.last!.end < position { cuts.append((position, lines)) }
        var (parts, begin, first): ([Part], Int, Int) = ([], 0, 1)
        for (index, cut) in cuts.enumerated() {
            parts.append(Part(bytes: begin..<cut.end, firstLine: first, more: index < cuts.count - 1))
            (begin, first) = (cut.end, cut.lines + 1)
        }
        return (parts, hash.finalize().hex)
    }
}
