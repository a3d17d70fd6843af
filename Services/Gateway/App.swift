import Contracts
import Foundation
import ServiceKit

/// The gateway: `gateway` serves, `gateway check-config [FILE]` checks and prints the route table.
@main
struct App {
    static func main() async {
        let arguments = Array(CommandLine.arguments.dropFirst())
        if arguments.first == "check-config" {
            let (output, code) = CheckConfig.run(file: arguments.dropFirst().first)
            StandardOutput.write(output)
            exit(code)
        }
        await ServiceRunner.run(.gateway, keys: GatewaySettings.keys + TLSSettings.keys) { @Sendable bootstrap in
            try GatewayApplication(bootstrap).build()
        }
    }
}
