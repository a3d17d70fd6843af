import Contracts
import Foundation
import Testing

extension SystemTests.OnOnePlatform {
    /// The gateway's table against the routers behind it and its own.
    @Suite struct Routes {
        private struct Listed {
            let method: String
            let path: String
            let isForOperator: Bool

            var title: String { "\(method) \(path)" }
        }

        /// What the table leads to, from the document that the gateway makes of it.
        private func listed(_ platform: Platform) async throws -> [Listed] {
            let document = try await platform.anonymous.get("/openapi.json").json
            guard case .object(let paths)? = document["paths"] else { return [] }
            return paths.flatMap { path, item -> [Listed] in
                guard case .object(let operations) = item else { return [] }
                return operations.map { method, operation in
                    let credentials = operation["security"]?.items.compactMap { alternative -> String? in
                        guard case .object(let schemes) = alternative else { return nil }
                        return schemes.keys.first
                    }
                    return Listed(
                        method: method.uppercased(), path: path, isForOperator: credentials == ["operatorKey"])
                }
            }
        }

        /// With ids of nothing.
        private func filled(_ path: String) -> String {
            path.split(separator: "/", omittingEmptySubsequences: false).map { segment in
                guard segment.hasPrefix("{") else { return String(segment) }
                return segment == "{date}" ? "2024-01-31" : UUID().uuidString.lowercased()
            }.joined(separator: "/")
        }

        /// What the services' routers and the gateway's say of a path that they do not have, as opposed to a thing.
        private static let unknown = ["There is nothing at this address.", "Resource not found."]

        /// The routes that no router answers, and those whose caller is refused before a router is asked.
        private func unanswered(_ routes: [Listed], _ platform: Platform, _ administrator: Client) async throws
            -> [String]
        {
            var missing: [String] = []
            for route in routes {
                let client = route.isForOperator ? platform.asOperator : administrator
                let hasBody = ["POST", "PUT", "PATCH"].contains(route.method)
                // No request takes this field, so that nothing happens.
                let answer = try await client.send(
                    route.method, filled(route.path), below: "",
                    body: hasBody ? Array(#"{"noSuchField": true}"#.utf8) : [],
                    type: hasBody ? "application/json" : nil)
                let sentence = answer.json["error"]?.stringValue ?? ""
                let isUnknown =
                    answer.status == 405 || (answer.status == 404 && Self.unknown.contains(sentence))
                if isUnknown || answer.status >= 500 || answer.status == 401 || answer.status == 403 {
                    missing.append("\(route.title): \(answer.status) \(sentence)")
                }
            }
            return missing.sorted()
        }

        @Test("each method of each route in the gateway's table is answered by the service it names")
        func answered() async throws {
            try await Platform.withShared { platform in
                let tenant = try await platform.makeTenant("routes")
                let login = try await platform.logIn("routes", tenant: tenant)
                let administrator = Client(
                    platform: platform, bearer: login.data["accessToken"]?.stringValue, tenant: tenant)
                let routes = try await listed(platform).filter { !$0.path.hasPrefix("/api/v1/auth/") }
                #expect(routes.filter(\.isForOperator).count > 5)
                #expect(routes.filter { !$0.isForOperator }.count > 80)
                let missing = try await unanswered(routes, platform, administrator)
                #expect(missing == [])
                for isForOperator in [false, true] {
                    let planted = [Listed(method: "GET", path: "/api/v1/no-such-thing", isForOperator: isForOperator)]
                    #expect(try await unanswered(planted, platform, administrator).count == 1)
                }
            }
        }
    }
}
