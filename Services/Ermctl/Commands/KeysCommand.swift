import ArgumentParser
import Basics
import Contracts
import Foundation
import ServiceIdentity

struct KeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "Make the keys that services and the operator prove themselves with.",
        subcommands: [Generate.self, Rotate.self, Prune.self])

    struct Generate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Write <service>.key for every service, jwks.json with their public keys, and the operator's key.",
            discussion: "Keys that are there already are kept, so that it may be run again.")

        @Option(help: "Folder to write to; made if missing.") var directory: String

        func run() async throws {
            try KeyFiles(directory: URL(fileURLWithPath: directory, isDirectory: true)).generate()
        }
    }
}

extension KeysCommand {
    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give services new keys, which sign half a minute later, and keep the old ones beside them.",
            discussion: """
                Running services read the files again within seconds, or on SIGHUP; nothing that was signed before becomes \
                invalid. Where the files are copied to other machines, copy jwks.json everywhere first, then each key file \
                to all nodes of its service within a quarter of a minute. Twenty minutes later, or five minutes more than an \
                access token lives, `ermctl keys prune` takes the old keys away.
                """)

        @Option(help: "Folder of the keys.") var directory: String
        @Option(help: "The service whose key is replaced; all of them when left out.", transform: Self.service)
        var service: [ServiceName] = []

        static func service(_ text: String) throws -> ServiceName {
            guard let service = ServiceName(rawValue: text) else {
                throw ValidationError("must be one of \(ServiceName.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            return service
        }

        func run() async throws {
            let files = KeyFiles(directory: URL(fileURLWithPath: directory, isDirectory: true))
            try files.rotate(service.isEmpty ? ServiceName.allCases : service)
        }
    }

    struct Prune: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take away the keys that were replaced: what they have signed is worth nothing afterwards.")

        @Option(help: "Folder of the keys.") var directory: String
        @Option(help: "The service whose old keys go; all of them when left out.", transform: Rotate.service)
        var service: [ServiceName] = []

        func run() async throws {
            let files = KeyFiles(directory: URL(fileURLWithPath: directory, isDirectory: true))
            try files.prune(service.isEmpty ? ServiceName.allCases : service)
        }
    }
}

/// The key files of an installation. A service's file holds the key that signs and behind it those that it has replaced.
struct KeyFiles {
    let directory: URL

    func generate() throws {
        try PrivateFile.makeFolder(directory)
        try alone {
            var pairs: [ServiceName: [ServiceKeyPair]] = [:]
            for service in ServiceName.allCases {
                if FileManager.default.fileExists(atPath: file(of: service).path) {
                    pairs[service] = try self.pairs(of: service)
                } else {
                    let pair = ServiceKeyPair()
                    try write([pair], of: service)
                    pairs[service] = [pair]
                }
            }
            try writeSet(pairs)
            try generateOperatorKey()
        }
    }

    /// The public key goes out before anything is signed with the private one.
    func rotate(_ services: [ServiceName]) throws {
        try alone {
            var pairs = try allPairs()
            for service in services { pairs[service, default: []].insert(ServiceKeyPair(), at: 0) }
            try writeSet(pairs)
            for service in services { try write(pairs[service] ?? [], of: service) }
        }
    }

    /// Nothing is signed with the old keys any more when their public keys go.
    func prune(_ services: [ServiceName]) throws {
        try alone {
            var pairs = try allPairs()
            for service in services { pairs[service] = Array((pairs[service] ?? []).prefix(1)) }
            for service in services { try write(pairs[service] ?? [], of: service) }
            try writeSet(pairs)
        }
    }

    /// Waits until no other command changes keys in the folder: that would write a set of public keys without those made here, whose
    /// services nobody would believe then.
    private func alone(_ body: () throws -> Void) throws {
        let descriptor = open(directory.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw CommandFailure("Cannot open \(directory.path): \(String(cString: strerror(errno))).")
        }
        defer { close(descriptor) }
        while flock(descriptor, LOCK_EX) != 0 {
            guard errno == EINTR else {
                throw CommandFailure("Cannot lock \(directory.path): \(String(cString: strerror(errno))).")
            }
        }
        try body()
    }

    private func file(of service: ServiceName) -> URL {
        directory.appendingPathComponent("\(service.rawValue).key")
    }

    private func pairs(of service: ServiceName) throws -> [ServiceKeyPair] {
        let file = self.file(of: service)
        guard let pem = try? String(contentsOf: file, encoding: .utf8) else {
            throw CommandFailure(
                "Cannot read \(file.path). `ermctl keys generate --directory \(directory.path)` makes what is missing.")
        }
        do {
            return try ServiceKeyPair.all(pem: pem)
        } catch {
            throw CommandFailure(
                "\(file.path) holds no keys of a service. Take it from a backup, or remove it for new ones.")
        }
    }

    private func allPairs() throws -> [ServiceName: [ServiceKeyPair]] {
        try ServiceName.allCases.reduce(into: [:]) { all, service in all[service] = try pairs(of: service) }
    }

    private func write(_ pairs: [ServiceKeyPair], of service: ServiceName) throws {
        try PrivateFile.write(Array(pairs.map(\.pem).joined().utf8), to: file(of: service))
    }

    private func writeSet(_ pairs: [ServiceName: [ServiceKeyPair]]) throws {
        let keys = ServiceName.allCases.flatMap { service in
            (pairs[service] ?? []).map { $0.publicJWK(issuer: service) }
        }
        try PrivateFile.write(
            Array(try JSONWebKeySet(keys: keys).contents().utf8), to: directory.appendingPathComponent("jwks.json"))
    }

    private func generateOperatorKey() throws {
        let file = directory.appendingPathComponent("operator.key")
        let prefix = "erm_op_"
        let key: String
        if FileManager.default.fileExists(atPath: file.path) {
            key = String(((try? String(contentsOf: file, encoding: .utf8)) ?? "").prefix { !$0.isNewline })
            guard key.hasPrefix(prefix) else {
                throw CommandFailure(
                    "\(file.path) holds no operator's key, or cannot be read. Remove it for a new key.")
            }
        } else {
            key = RandomToken.make(prefix: prefix)
            try PrivateFile.write(Array((key + "\n").utf8), to: file)
        }
        let digest = RandomToken.digest(key).hex
        try PrivateFile.write(Array((digest + "\n").utf8), to: directory.appendingPathComponent("operator.key.sha256"))
    }
}
