import Foundation

/// Finds files that are delivered together with a program.
public enum InstalledFiles {
    public enum Kind: Sendable { case file, folder }

    /// Looks beside the running binary and in every folder above it, then in the working directory and above.
    /// - Parameter relativePath: such as `migrations/tenant`.
    /// - Returns: the first match's absolute path; nil when there is none.
    public static func find(_ relativePath: String, _ kind: Kind) -> String? {
        let binary =
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
        let binaryFolder = URL(fileURLWithPath: binary).deletingLastPathComponent().path
        return find(relativePath, kind, upwardsFrom: [binaryFolder, FileManager.default.currentDirectoryPath])
    }

    static func find(_ relativePath: String, _ kind: Kind, upwardsFrom starts: [String]) -> String? {
        starts.lazy.flatMap(foldersUpwards)
            .map { "\($0)/\(relativePath)" }
            .first { exists($0, kind) }
    }

    public static func exists(_ path: String, _ kind: Kind) -> Bool {
        var isDirectory: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
            && isDirectory.boolValue == (kind == .folder)
    }

    /// The root is "", so that a slash can follow every one of them.
    private static func foldersUpwards(from path: String) -> [String] {
        var url = URL(fileURLWithPath: path).standardizedFileURL
        var paths: [String] = []
        while url.path != "/" {
            paths.append(url.path)
            url.deleteLastPathComponent()
        }
        return paths + [""]
    }
}
