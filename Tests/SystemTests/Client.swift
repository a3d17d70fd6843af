import Contracts
import Foundation
import HTTPClient
import Testing

/// An answer of the gateway, as a foreign client sees it: a status and whatever JSON.
struct Answer: Sendable {
    let status: Int
    let json: JSONValue
    /// Seconds; nil where the answer does not say when to try again.
    var retryAfter: Int?

    var data: JSONValue { json["data"] ?? .null }
    var code: String? { json["code"]?.stringValue }
    /// The names of the fields found fault with.
    var fields: [String] {
        guard case .array(let errors)? = json["errors"] else { return [] }
        return errors.compactMap { $0["field"]?.stringValue }
    }
}

extension JSONValue {
    var items: [JSONValue] { if case .array(let items) = self { items } else { [] } }
}

/// Speaks to the gateway with one credential.
struct Client: Sendable {
    let platform: Platform
    var bearer: String?
    var tenant: String?

    func get(_ path: String) async throws -> Answer { try await send("GET", path, body: [], type: nil) }

    func post(_ path: String, _ body: String = "") async throws -> Answer {
        try await send("POST", path, body: Array(body.utf8), type: body.isEmpty ? nil : "application/json")
    }

    func upload(_ kind: ImportKind, _ csv: String, onError: String = "abort") async throws -> Answer {
        try await send(
            "POST", "/imports?kind=\(kind.rawValue)&onError=\(onError)", body: Array(csv.utf8), type: "text/csv")
    }

    /// - Parameter root: what the path stands below.
    func send(
        _ method: String, _ path: String, below root: String = "/api/v1", body: [UInt8], type: String?
    ) async throws -> Answer {
        var headers: [(name: String, value: String)] = []
        if let bearer { headers.append(("Authorization", "Bearer \(bearer)")) }
        if let tenant { headers.append(("X-Tenant-ID", tenant)) }
        if let type { headers.append(("Content-Type", type)) }
        let request = HTTPClientRequest(
            method: method, url: "\(platform.url)\(root)\(path)", headers: headers,
            body: method == "GET" ? .none : .bytes(body), deadline: .seconds(120))
        let response = try await platform.http.execute(request)
        let bytes = try await response.collect(upTo: 64 << 20)
        return Answer(
            status: response.status, json: (try? WireJSON.decode(JSONValue.self, from: bytes)) ?? .null,
            retryAfter: response["Retry-After"].flatMap { Int($0) })
    }
}

extension Platform {
    var anonymous: Client { Client(platform: self) }
    var asOperator: Client { Client(platform: self, bearer: operatorKey) }

    static let password = "correct horse battery"

    /// Makes a tenant and logs its administrator in.
    func tenant(_ subdomain: String) async throws -> Client {
        let id = try await makeTenant(subdomain)
        let login = try await logIn(subdomain, tenant: id)
        try #require(login.status == 200, "\(login)")
        return Client(platform: self, bearer: try #require(login.data["accessToken"]?.stringValue))
    }

    /// The new tenant's id.
    func makeTenant(_ subdomain: String) async throws -> String {
        let made = try await asOperator.post(
            "/tenants",
            #"{"name": "\#(subdomain)", "subdomain": "\#(subdomain)", "adminEmail": "admin@\#(subdomain).example", "adminPassword": "\#(Self.password)"}"#
        )
        try #require(made.status == 201, "\(made)")
        return try #require(made.data["id"]?.stringValue)
    }

    /// A login of the administrator of ``makeTenant(_:)``.
    func logIn(_ subdomain: String, tenant: String, password: String = Platform.password) async throws -> Answer {
        try await Client(platform: self, tenant: tenant)
            .post("/auth/login", #"{"email": "admin@\#(subdomain).example", "password": "\#(password)"}"#)
    }
}

/// A history small enough for a test and long enough to learn from: each person's work takes a steady share of its plan.
struct SmallHistory {
    var people = 8
    var projects = 3
    var allocationsPerPerson = 20

    var employees: String {
        "external_id,name,weekly_capacity_hours\n" + (1...people).map { "E\($0),Person \($0),40\n" }.joined()
    }

    var skills: String { "name,category\nSwift,\nSQL,\n" }

    var employeeSkills: String {
        "employee_external_id,skill,level,since\n"
            + (1...people).map { "E\($0),\($0 % 2 == 0 ? "Swift" : "SQL"),3,2024-01-01\n" }.joined()
    }

    var projectRows: String {
        "external_id,name,status,start_date,estimated_end_date,required_skills\n"
            + (1...projects).map { "J\($0),Project \($0),in_progress,2024-01-01,2026-12-31,Swift;SQL\n" }.joined()
    }

    var allocations: String {
        var rows =
            "external_id,employee_external_id,project_external_id,allocation_percentage,allocated_hours,"
            + "actual_hours,required_skills,start_date,end_date,completed_at,created_at\n"
        for round in 0..<allocationsPerPerson {
            for person in 1...people {
                let planned = Double(4 + (round * 7 + person * 3) % 20)
                let wobble = [0.9, 1.0, 1.1, 1.0][(round + person) % 4]
                let actual = planned * (0.7 + 0.1 * Double(person % 6)) * wobble
                let day = day(round, person)
                rows += "A\(round)-\(person),E\(person),J\(1 + (round + person) % projects),50,\(planned),\(actual),"
                rows += "\(person % 2 == 0 ? "Swift" : "SQL"),\(day),\(day.adding(days: 8)),"
                rows += "\(day.adding(days: 10))T00:00:00.000Z,\(day)T00:00:00.000Z\n"
            }
        }
        return rows
    }

    /// The moment after the last outcome.
    var asOf: String {
        "\(day(allocationsPerPerson - 1, people).adding(days: 10))T00:00:01.000Z"
    }

    /// When a person's allocation begins; however many there are, all lie in the past.
    private func day(_ round: Int, _ person: Int) -> CivilDate {
        let span = min(20 * allocationsPerPerson, 700)
        return CivilDate(year: 2024, month: 1, day: 1)!.adding(days: round * span / allocationsPerPerson + person)
    }

    /// Every file in order; expects each to be applied.
    func load(_ client: Client) async throws {
        for (kind, csv) in [
            (ImportKind.skills, skills), (.employees, employees), (.employeeSkills, employeeSkills),
            (.projects, projectRows), (.allocations, allocations),
        ] {
            let answer = try await client.upload(kind, csv)
            try #require((200...201).contains(answer.status), "\(kind): \(answer)")
        }
    }
}
