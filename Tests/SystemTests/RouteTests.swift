import Contracts
import Foundation
import Testing

extension SystemTests {
    /// The gateway's table against the routers behind it.
    @Suite struct Routes {
        private struct Listed {
            let method: String
            let path: String
            let isForOperator: Bool
        }

        /// What the table sends to another service, from the document that the gateway makes of it.
        private func listed(_ platform: Platform) async throws -> [Listed] {
            let document = try await platform.anonymous.get("/openapi.json").json
            guard case .object(let paths)? = document["paths"] else { return [] }
            return paths.flatMap { path, item -> [Listed] in
                guard case .object(let operations) = item else { return [] }
                return operations.compactMap { method, operation in
                    guard let service = operation["tags"]?.items.first?.stringValue, service != "gateway" else {
                        return nil
                    }
                    let isForOperator = operation["summary"]?.stringValue?.contains("operator") == true
                    return Listed(method: method.uppercased(), path: path, isForOperator: isForOperator)
                }
            }
        }

        /// With ids of nothing.
        private func filled(_ path: String) -> String {
            path.dropFirst("/api/v1".count).split(separator: "/", omittingEmptySubsequences: false).map { segment in
                guard segment.hasPrefix("{") else { return String(segment) }
                return segment == "{date}" ? "2024-01-31" : UUID().uuidString.lowercased()
            }.joined(separator: "/")
        }

        @Test("each method of each route in the gateway's table is answered by the service it names")
        func answered() async throws {
            try await Platform.withPlatform { platform in
                let tenant = try await platform.makeTenant("acme")
                let login = try await platform.logIn("acme", tenant: tenant)
                let administrator = Client(
                    platform: platform, bearer: login.data["accessToken"]?.stringValue, tenant: tenant)
                let routes = try await listed(platform)
                #expect(routes.count > 80)
                var missing: [String] = []
                for route in routes {
                    let client = route.isForOperator ? platform.asOperator : administrator
                    let hasBody = ["POST", "PUT", "PATCH"].contains(route.method)
                    // No request takes this field, so that nothing happens.
                    let answer = try await client.send(
                        route.method, filled(route.path), body: hasBody ? Array(#"{"noSuchField": true}"#.utf8) : [],
                        type: hasBody ? "application/json" : nil)
                    let sentence = answer.json["error"]?.stringValue ?? ""
                    // The words of a router that has no such route or not with this method, as opposed to no such thing.
                    if answer.status == 405 || (answer.status == 404 && sentence.hasPrefix("There is nothing at"))
                        || answer.status >= 500
                    {
                        missing.append("\(route.method) \(route.path): \(answer.status) \(sentence)")
                    }
                }
                #expect(missing.sorted() == [])
            }
        }
    }
}
