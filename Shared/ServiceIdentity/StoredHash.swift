import Contracts

/// What scrypt costs.
package struct ScryptParameters: Sendable, Equatable {
    /// The base-2 logarithm of N, the cost.
    var logCost: Int
    /// r
    var blockSize: UInt64
    /// p
    var parallelism: UInt64

    /// - Parameter logCost: the least that scrypt takes is 1.
    package init(logCost: Int, blockSize: UInt64 = 8, parallelism: UInt64 = 1) {
        self.logCost = logCost
        self.blockSize = blockSize
        self.parallelism = parallelism
    }

    package static let current = ScryptParameters(logCost: 15)

    var cost: UInt64 { 1 << UInt64(logCost) }

    /// The 128·N·r bytes of RFC 7914 §6 and room for what surrounds them.
    var memoryLimit: UInt64 { 128 * blockSize * (cost + parallelism + 2) + 1_048_576 }
}

/// A stored hash, taken apart.
struct StoredHash: Equatable {
    var parameters: ScryptParameters
    var salt: [UInt8]
    var hash: [UInt8]

    init(parameters: ScryptParameters, salt: [UInt8], hash: [UInt8]) {
        self.parameters = parameters
        self.salt = salt
        self.hash = hash
    }

    var text: String {
        let cost = "ln=\(parameters.logCost),r=\(parameters.blockSize),p=\(parameters.parallelism)"
        return "$scrypt$\(cost)$\(Base64URL.encode(salt))$\(Base64URL.encode(hash))"
    }

    /// - Throws: ``PasswordHashError`` `invalidHash`. Costs far above ours are refused too: a planted hash must not be
    ///   able to take the machine's memory.
    init(_ text: String) throws {
        let parts = text.split(separator: "$", omittingEmptySubsequences: false)
        guard parts.count == 5, parts[0].isEmpty, parts[1] == "scrypt",
            let salt = Base64URL.decode(parts[3]), let hash = Base64URL.decode(parts[4]),
            (8...64).contains(salt.count), (16...64).contains(hash.count)
        else { throw PasswordHashError(.invalidHash, "The stored password hash is not one of ours.") }
        var values: [Substring: UInt64] = [:]
        for pair in parts[2].split(separator: ",") {
            let sides = pair.split(separator: "=")
            if sides.count == 2, let value = UInt64(sides[1]) { values[sides[0]] = value }
        }
        guard let logCost = values["ln"], let blockSize = values["r"], let parallelism = values["p"],
            (1...20).contains(logCost), (1...32).contains(blockSize), (1...16).contains(parallelism)
        else { throw PasswordHashError(.invalidHash, "The stored password hash has unusable parameters.") }
        self.init(
            parameters: ScryptParameters(logCost: Int(logCost), blockSize: blockSize, parallelism: parallelism),
            salt: salt, hash: hash)
    }
}
