import Foundation

extension ServiceSettings {
    /// The folder of one set of migrations, such as `ml-training` or `tenant`.
    ///
    /// It is looked for in `migrations.directory` when that is set, else beside the running binary and upwards from
    /// there, then upwards from the working directory.
    /// - Throws: ``ConfigurationError`` when there is no such folder.
    public func migrationsDirectory(_ name: String) throws -> String {
        if let configured = optionalString("migrations.directory") {
            if let found = Self.folder(name, in: configured) { return found }
            throw ConfigurationError(problems: ["migrations.directory: there is no folder \(name) in \(configured)"])
        }
        let binary =
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
        let starts = [
            URL(fileURLWithPath: binary).deletingLastPathComponent().path, FileManager.default.currentDirectoryPath,
        ]
        for start in starts {
            for directory in Self.upwards(from: start) {
                if let found = Self.folder(name, in: directory + "/migrations") { return found }
            }
        }
        throw ConfigurationError(problems: [
            "migrations.directory: no folder migrations/\(name) beside the binary or above the working directory"
        ])
    }

    private static func folder(_ name: String, in directory: String) -> String? {
        let path = "\(directory)/\(name)"
        var isDirectory: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && isDirectory.boolValue
            ? path : nil
    }

    private static func upwards(from path: String) -> [String] {
        var url = URL(fileURLWithPath: path).standardizedFileURL
        var paths = [url.path]
        while url.path != "/" {
            url.deleteLastPathComponent()
            paths.append(url.path == "/" ? "" : url.path)
        }
        return paths
    }
}
