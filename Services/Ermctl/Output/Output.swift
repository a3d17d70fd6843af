import ArgumentParser
import Contracts
import Foundation

/// The options every command shares.
struct OutputOptions: ParsableArguments {
    @Flag(help: "Print the answer as JSON instead of for people.")
    var json = false

    /// Prints `value` as JSON, or what `text` makes of it.
    func show<T: Encodable>(_ value: T, text: (T) -> String) throws {
        print(json ? String(decoding: try WireJSON.encode(value), as: UTF8.self) : text(value))
    }
}

extension Double {
    /// With that many decimals, never in exponent form.
    func fixed(_ decimals: Int) -> String { String(format: "%.\(decimals)f", self) }
}

extension Optional where Wrapped == Double {
    func fixed(_ decimals: Int) -> String { map { $0.fixed(decimals) } ?? "–" }
}

/// Runs a command's body with a client and closes it, whatever happens.
func withClient<R: Sendable>(_ client: PlatformClient, _ body: (PlatformClient) async throws -> R) async throws -> R {
    do {
        let result = try await body(client)
        await client.close()
        return result
    } catch {
        await client.close()
        throw error
    }
}
