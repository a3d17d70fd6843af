import ArgumentParser
import Contracts
import Foundation
import ServiceIdentity

struct KeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "Make the keys that services and the operator prove themselves with.",
        subcommands: [Generate.self])

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

/// The key files of an installation.
struct KeyFiles {
    let directory: URL

    func generate() throws {
        try FileManager.default.createDirectory(
            at: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        var keys: [JSONWebKey] = []
        for service in ServiceName.allCases {
            let file = directory.appendingPathComponent("\(service.rawValue).key")
            let pair: ServiceKeyPair
            if let text = try? String(contentsOf: file, encoding: .utf8) {
                pair = try ServiceKeyPair(pem: text)
            } else {
                pair = ServiceKeyPair()
                try PrivateFile.write(Array(pair.pem.utf8), to: file)
            }
            keys.append(pair.publicJWK(issuer: service))
        }
        try PrivateFile.write(
            Array(try JSONWebKeySet(keys: keys).contents().utf8), to: directory.appendingPathComponent("jwks.json"))
        try generateOperatorKey()
    }

    private func generateOperatorKey() throws {
        let file = directory.appendingPathComponent("operator.key")
        let key: String
        if let text = try? String(contentsOf: file, encoding: .utf8) {
            key = String(text.prefix { !$0.isNewline })
        } else {
            key = RandomToken.make(prefix: "erm_op_")
            try PrivateFile.write(Array((key + "\n").utf8), to: file)
        }
        let digest = RandomToken.digest(key).map { String(format: "%02x", $0) }.joined()
        try PrivateFile.write(Array((digest + "\n").utf8), to: directory.appendingPathComponent("operator.key.sha256"))
    }
}
