import Contracts
import Foundation
import Testing

extension SystemTests.OnOnePlatform {
    /// From a login to its end, by logout and by a new password.
    @Suite struct Sessions {
        private func refresh(_ platform: Platform, _ token: String) async throws -> Answer {
            try await platform.anonymous.post("/auth/refresh", #"{"refreshToken": "\#(token)"}"#)
        }

        /// Asks until the answer has that status, far longer than it takes on a slow machine. How soon other gateway nodes follow is
        /// measured by `ermctl bench revocation`.
        private func answers(_ status: Int, _ client: Client) async throws -> Bool {
            for _ in 0..<600 {
                if try await client.get("/auth/me").status == status { return true }
                try await Task.sleep(for: .milliseconds(100))
            }
            return false
        }

        @Test("a login is known, is refreshed, and after the logout neither of its tokens works")
        func logOut() async throws {
            try await Platform.withShared { platform in
                let tenant = try await platform.makeTenant("loggedout")
                let login = try await platform.logIn("loggedout", tenant: tenant)
                #expect(login.status == 200)
                #expect(login.data["tenantId"]?.stringValue == tenant)
                let first = try #require(login.data["refreshToken"]?.stringValue)
                let me = try await Client(platform: platform, bearer: login.data["accessToken"]?.stringValue)
                    .get("/auth/me")
                #expect(me.status == 200 && me.data["email"]?.stringValue == "admin@loggedout.example", "\(me)")

                let refreshed = try await refresh(platform, first)
                #expect(refreshed.status == 200)
                let client = Client(platform: platform, bearer: refreshed.data["accessToken"]?.stringValue)
                let second = try #require(refreshed.data["refreshToken"]?.stringValue)
                #expect(second != first)
                #expect(try await client.get("/auth/me").status == 200)

                let logOut = try await platform.anonymous.post("/auth/logout", #"{"refreshToken": "\#(second)"}"#)
                #expect(logOut.status == 204)
                #expect(try await answers(401, client))
                #expect(try await refresh(platform, second).status == 401)
                #expect(try await refresh(platform, first).status == 401)
            }
        }

        @Test("a new password ends every session of the user, and the old password opens none")
        func newPassword() async throws {
            try await Platform.withShared { platform in
                let tenant = try await platform.makeTenant("newpassword")
                let login = try await platform.logIn("newpassword", tenant: tenant)
                let client = Client(platform: platform, bearer: login.data["accessToken"]?.stringValue)
                let user = try #require(try await client.get("/auth/me").data["id"]?.stringValue)

                let change = try await client.send(
                    "PATCH", "/users/\(user)", body: Array(#"{"password": "quite another one"}"#.utf8),
                    type: "application/json")
                #expect(change.status == 200, "\(change)")
                #expect(try await answers(401, client))
                #expect(
                    try await refresh(platform, try #require(login.data["refreshToken"]?.stringValue)).status == 401)
                #expect(try await platform.logIn("newpassword", tenant: tenant).status == 401)
                let again = try await platform.logIn("newpassword", tenant: tenant, password: "quite another one")
                #expect(again.status == 200)
                let renewed = Client(platform: platform, bearer: again.data["accessToken"]?.stringValue)
                #expect(try await renewed.get("/auth/me").status == 200)
            }
        }

        @Test("a suspended tenant's users are refused at login and with a token until the tenant is resumed")
        func suspended() async throws {
            try await Platform.withShared { platform in
                let tenant = try await platform.makeTenant("suspended")
                let login = try await platform.logIn("suspended", tenant: tenant)
                let client = Client(platform: platform, bearer: login.data["accessToken"]?.stringValue)
                #expect(try await platform.asOperator.post("/tenants/\(tenant)/suspend").status / 100 == 2)
                #expect(try await answers(403, client))
                let refused = try await platform.logIn("suspended", tenant: tenant)
                #expect(refused.status == 403 && refused.code == "tenant_unavailable", "\(refused)")
                #expect(try await platform.asOperator.post("/tenants/\(tenant)/resume").status / 100 == 2)
                #expect(try await answers(200, client))
            }
        }
    }
}
