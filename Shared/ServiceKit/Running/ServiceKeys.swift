import Basics
import Contracts
import Foundation
import Logging
import ServiceIdentity
import ServiceLifecycle

/// The key files of a service, read at its start and again while it runs.
enum ServiceKeys {
    /// - Throws: ``ConfigurationError`` with everything that is wrong with the files.
    static func ring(_ name: ServiceName, _ settings: ServiceSettings) throws -> KeyRing {
        let (keyFile, setFile) = (settings.string("identity.key-file"), settings.string("identity.jwks-file"))
        let read: @Sendable () throws -> KeyRing.Contents = { try contents(name, keyFile, setFile) }
        return KeyRing(
            try read(), source: .init(stamp: { stamp(keyFile) + " " + stamp(setFile) }, read: read), age: age(keyFile))
    }

    /// Since a file was written last, as far as its machine's clock can tell.
    private static func age(_ path: String) -> Duration {
        let file = try? FileManager.default.attributesOfItem(atPath: path)
        guard let changed = file?[.modificationDate] as? Date else { return .zero }
        return .seconds(max(0, Date().timeIntervalSince(changed)))
    }

    /// Differs for every version of a file, also for two that were written within one tick of its clock.
    private static func stamp(_ path: String) -> String {
        guard let file = try? FileManager.default.attributesOfItem(atPath: path) else { return "missing" }
        let changed = (file[.modificationDate] as? Date)?.timeIntervalSinceReferenceDate
        return "\(String(describing: file[.systemFileNumber]))/\(String(describing: file[.size]))/\(changed ?? 0)"
    }

    private static func contents(
        _ name: ServiceName, _ keyFile: String, _ setFile: String
    ) throws -> KeyRing.Contents {
        var problems: [String] = []
        func read<T>(_ key: String, _ path: String, _ parse: (String) throws -> T) -> T? {
            guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
                problems.append("\(key): the file \(path) cannot be read")
                return nil
            }
            do {
                return try parse(text)
            } catch {
                problems.append("\(key): \(path): \(error)")
                return nil
            }
        }
        let pairs = read("identity.key-file", keyFile) { try ServiceKeyPair.all(pem: $0) }
        let keys = read("identity.jwks-file", setFile) { try JSONWebKeySet.load(contents: $0) }
        // Those that were replaced may have left the set.
        if let first = pairs?.first, let keys, !keys.keys.contains(where: { $0.kid == first.keyID && $0.iss == name }) {
            problems.append(
                "identity.jwks-file: it does not hold the public key of identity.key-file as a key of \(name.rawValue)")
        }
        guard let pairs, let keys, problems.isEmpty else { throw ConfigurationError(problems: problems) }
        return KeyRing.Contents(pairs: pairs, keys: keys)
    }
}

/// Reads the key files again every few seconds, so that a key can be replaced without a restart.
struct KeyWatch: Service {
    let keys: KeyRing
    let logger: Logger
    var pause = Duration.seconds(5)

    func run() async throws {
        await PeriodicWork(every: pause, firstAfter: pause).run { reload() }
    }

    func reload() {
        do {
            guard try keys.reload() else { return }
            logger.notice(
                "Identity keys replaced",
                metadata: [
                    LogKey.signingKey: "\(keys.signing.keyID)", LogKey.keyCount: .stringConvertible(keys.pairs.count),
                ])
        } catch {
            logger.error(
                "Identity keys cannot be read; the present ones stay", metadata: [LogKey.error: "\(LogText.of(error))"])
        }
    }
}
