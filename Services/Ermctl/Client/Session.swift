import Contracts
import Foundation

/// Who this command line is logged in as, kept between calls in `session.json` under `$ERM_HOME` (default `~/.erm`).
struct Session: Codable, Sendable, Equatable {
    var url: String
    var tenantID: TenantID
    var subdomain: String?
    var accessToken: String
    var refreshToken: String
    /// When the access token stops being accepted.
    var expiresAt: Date
    /// Equal in all sessions that descend from one login; nil in a file of an earlier release.
    var login: UUID?

    /// The access token is good for a minute more.
    var isFresh: Bool { expiresAt.timeIntervalSinceNow > 60 }
}

/// The file that keeps the session; only its owner may read it.
struct SessionStore: Sendable {
    let directory: URL

    init(environment: [String: String] = ProcessInfo.processInfo.environment) {
        if let home = environment["ERM_HOME"], !home.isEmpty {
            directory = URL(fileURLWithPath: home, isDirectory: true)
        } else {
            directory = FileManager.default.homeDirectoryForCurrentUser.appendingPathComponent(
                ".erm", isDirectory: true)
        }
    }

    init(directory: URL) { self.directory = directory }

    var file: URL { directory.appendingPathComponent("session.json") }

    func load() throws -> Session {
        guard let data = try? Data(contentsOf: file) else {
            throw CommandFailure("You are not logged in. Run `ermctl login` first.")
        }
        do {
            return try WireJSON.decode(Session.self, from: data)
        } catch {
            throw CommandFailure("\(file.path) is not a session of ermctl. Run `ermctl login` again.")
        }
    }

    func save(_ session: Session) throws {
        try PrivateFile.makeFolder(directory)
        try PrivateFile.write(try WireJSON.encode(session), to: file)
    }
}
