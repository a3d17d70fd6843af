import Basics

extension ServiceSettings {
    /// The folder of one set of migrations, such as `ml-training` or `tenant`.
    ///
    /// It is looked for in `migrations.directory` when that is set, else beside the running binary and upwards from
    /// there, then upwards from the working directory.
    /// - Throws: ``ConfigurationError`` when there is no such folder.
    public func migrationsDirectory(_ name: String) throws -> String {
        if let configured = optionalString("migrations.directory") {
            let path = "\(configured)/\(name)"
            if InstalledFiles.exists(path, .folder) { return path }
            throw ConfigurationError(problems: ["migrations.directory: there is no folder \(name) in \(configured)"])
        }
        if let found = InstalledFiles.find("migrations/\(name)", .folder) { return found }
        throw ConfigurationError(problems: [
            "migrations.directory: no folder migrations/\(name) beside the binary or above the working directory"
        ])
    }
}
