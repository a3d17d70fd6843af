import Contracts
import Foundation
import HTTPClient
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Postgres
import ServiceIdentity
import ServiceStorage
import Synchronization
import TestSupport
import Testing

@testable import MLPrediction
@testable import ServiceKit

/// The whole service: its router, a real database, and what it asks over live sockets.
@Suite struct PredictionsOverHTTPTests {
    private var employee: EmployeeID { TrainedModel.history.employees[1].id }
    private var project: ProjectID { TrainedModel.history.projects[0].id }
    private var question: String {
        #"{"employeeId": "\#(employee)", "projectId": "\#(project)", "plannedHours": 12, "requiredSkills": ["SQL"]}"#
    }

    @Test("a prediction is answered whole, and is in the log as it was answered")
    func predicts() async throws {
        try await PredictionsOverHTTP.with { service in
            let answer = try await service.send(.post, "/api/v1/predictions", question)
            #expect(answer.status == .ok)
            let data = try #require(answer.body["data"])
            let hours = try #require(data["estimatedHours"]?.doubleValue)
            #expect(hours > 0 && hours < 100)
            let share = try #require(data["recommendedAllocation"]?.doubleValue)
            #expect((0...100).contains(share))
            #expect(data["model"]?["version"] == .integer(3))
            guard case .array(let others)? = data["alternativeOptions"] else {
                Issue.record("no alternatives")
                return
            }
            // Those of six people who have the skill too.
            #expect(others.count == 2)
            let scores = others.compactMap { $0["score"]?.doubleValue }
            #expect(scores == scores.sorted(by: >))
            #expect(!others.contains { $0["employeeId"]?.stringValue == employee.description })

            let id = try #require(data["predictionId"]?.stringValue)
            let stored = try await service.send(.get, "/api/v1/predictions/\(id)")
            #expect(stored.body["data"]?["prediction"] == data)
            let list = try await service.send(.get, "/api/v1/predictions?employeeId=\(employee)&limit=1")
            #expect(list.status == .ok)
            // Another tenant learns nothing of it.
            let foreign = try await service.send(.get, "/api/v1/predictions/\(id)", tenant: TenantID())
            #expect(foreign.status == .notFound)
        }
    }

    @Test("without a deployed model the baseline answers, says so, and claims neither ranges nor chances")
    func noModel() async throws {
        try await PredictionsOverHTTP.with(deployed: false) { service in
            let answer = try await service.send(.post, "/api/v1/predictions", question)
            let data = try #require(answer.body["data"], "\(answer.body)")
            #expect(data["model"]?["kind"] == .string("baseline") && data["model"]?["version"] == .integer(0))
            #expect(data["estimatedHours"]?.doubleValue ?? 0 > 0 && data["intervals"] == .array([]))
            #expect("\(data["warnings"] ?? .null)".contains("No model is deployed"))
            for field in ["confidence", "successProbability", "interval"] {
                #expect((data[field] ?? .null) == .null, "\(field)")
            }
            // It is logged like any other, and is no model's day.
            let list = try await service.send(.get, "/api/v1/predictions")
            #expect("\(list.body)".contains("baseline"))
            #expect(try await service.send(.get, "/api/v1/metrics").body["data"] == .array([]))
        }
    }

    @Test("where nothing has finished and no plan is stated, the baseline says that its hours are a guess")
    func guess() async throws {
        let unfinished = TrainedModel.history.lines.filter { if case .allocation = $0 { false } else { true } }
        for (lines, isGuess) in [(unfinished, true), (TrainedModel.history.lines, false)] {
            try await PredictionsOverHTTP.with(deployed: false, lines: lines) { service in
                for (body, isPlanned) in [
                    (question, true), (question.replacing(#""plannedHours": 12, "#, with: ""), false),
                ] {
                    let answer = try await service.send(.post, "/api/v1/predictions", body)
                    #expect("\(answer.body)".contains("are a guess") == (isGuess && !isPlanned))
                }
            }
        }
    }

    @Test("a finished booking reaches the prediction that was asked about it, and the day's metrics")
    func outcomeOfBooking() async throws {
        let history = TrainedModel.history
        let booked = Date().addingTimeInterval(-3_600)
        let booking = Allocation(
            id: AllocationID(), externalId: "new", employeeId: history.employees[0].id,
            projectId: history.projects[1].id, allocationPercentage: 50, allocatedHours: 12, plannedHours: 12,
            actualHours: 11, requiredSkills: [], labels: [:], startDate: CivilDate(booked), endDate: nil,
            completedAt: Date().addingTimeInterval(3_600), createdAt: booked)
        try await PredictionsOverHTTP.with { service in
            let body =
                #"{"employeeId": "\#(booking.employeeId)", "projectId": "\#(booking.projectId)", "plannedHours": "#
            let asked = try await service.send(.post, "/api/v1/predictions", body + "12}")
            let other = try await service.send(.post, "/api/v1/predictions", body + "30}")
            let ids = try [asked, other].map { try #require($0.body["data"]?["predictionId"]?.stringValue) }
            let before = try await service.send(.get, "/api/v1/predictions/\(ids[0])")
            #expect((before.body["data"]?["actual"] ?? .null) == .null)
            service.upstream.state.withLock { $0.lines[service.tenant]?.append(.allocation(booking)) }
            let after = try await service.send(.get, "/api/v1/predictions/\(ids[0])")
            #expect(after.body["data"]?["actual"]?["actualHours"]?.doubleValue == 11, "\(after.body)")
            // Another plan was another question.
            let unmatched = try await service.send(.get, "/api/v1/predictions/\(ids[1])")
            #expect((unmatched.body["data"]?["actual"] ?? .null) == .null)
            let metrics = try await service.send(.get, "/api/v1/metrics")
            guard case .array(let days)? = metrics.body["data"], let day = days.first else {
                Issue.record("no metrics: \(metrics.body)")
                return
            }
            #expect(day["predictionsCount"] == .integer(2) && day["avgAccuracy"]?.doubleValue != nil)
        }
    }

    @Test("a person or project that the tenant does not have is named, both at once")
    func unknownIds() async throws {
        try await PredictionsOverHTTP.with { service in
            let body = #"{"employeeId": "\#(EmployeeID())", "projectId": "\#(ProjectID())"}"#
            let answer = try await service.send(.post, "/api/v1/predictions", body)
            #expect(answer.status == .unprocessableContent)
            #expect(
                answer.body["errors"]
                    == .array([
                        .object([
                            "field": .string("employeeId"), "message": .string("is not an employee of this tenant"),
                        ]),
                        .object(["field": .string("projectId"), "message": .string("is not a project of this tenant")]),
                    ]))
            let future = #"{"employeeId": "\#(employee)", "projectId": "\#(project)", "asOf": "2999-01-01T00:00:00Z"}"#
            let batch = try await service.send(
                .post, "/api/v1/predictions/batch", #"{"requests": [\#(question), \#(future)]}"#)
            #expect(batch.status == .unprocessableContent)
            #expect("\(batch.body)".contains("requests[1].asOf"))
            let none = try await service.send(.get, "/api/v1/predictions")
            #expect(none.body["data"] == .array([]))
        }
    }

    @Test("questions on lines are answered line by line, the bad ones as such; under a key each line is answered once")
    func lines() async throws {
        try await PredictionsOverHTTP.with { service in
            let stranger = #"{"employeeId": "\#(EmployeeID())", "projectId": "\#(project)"}"#
            let one = question.replacing("\n", with: " ")
            let body = (0..<230).map { $0 == 7 ? "{" : $0 == 120 ? stranger : one }.joined(separator: "\n") + "\n\n"
            for key in [nil, "k"] {
                var first: [String] = []
                for _ in 0..<2 {
                    let answer = try await service.lines("/api/v1/predictions/stream", body, key: key)
                    #expect(answer.count == 231)
                    for (place, line) in answer.dropLast().enumerated() {
                        #expect(line["line"] == .integer(place + 1))
                        let isGood = place != 7 && place != 120
                        #expect((line["prediction"]?["estimatedHours"]?.doubleValue != nil) == isGood, "\(line)")
                        #expect((line["error"]?.stringValue != nil) != isGood)
                    }
                    #expect("\(answer[120])".contains("employeeId"))
                    #expect(answer.last?["end"]?["answered"] == .integer(228))
                    let ids = answer.compactMap { $0["prediction"]?["predictionId"]?.stringValue }
                    #expect(Set(ids).count == 228)
                    if !first.isEmpty { #expect((ids == first) == (key != nil)) }
                    first = ids
                }
            }
            // A line is called by its place in what was sent.
            let spaced = try await service.lines("/api/v1/predictions/stream", "\n\(one)\r\n \n\n{\n\(one)", key: nil)
            #expect(spaced.compactMap { $0["line"] } == [.integer(2), .integer(5), .integer(6)])
            #expect(spaced[1]["error"]?.stringValue != nil)
            // Sent as application/json.
            let json = try await service.send(.post, "/api/v1/predictions/stream", one)
            #expect(json.status == .unsupportedMediaType)
            let none = try await service.lines("/api/v1/predictions/stream", "\n", key: nil)
            #expect(none[0]["status"] == .integer(422))
        }
    }

    @Test("lines are answered while others are still to come", .timeLimit(.minutes(5)))
    func streamedIn() async throws {
        try await PredictionsOverHTTP.with(deployed: false, over: .live) { service in
            let http = HTTPClient(logger: PostgresCluster.quietLogger)
            let (pieces, sender) = AsyncThrowingStream.makeStream(of: [UInt8].self)
            sender.yield(Array("\(question)\n{".utf8))
            let response = try await http.execute(
                HTTPClientRequest(
                    method: "POST", url: "http://127.0.0.1:\(service.client.port ?? 0)/api/v1/predictions/stream",
                    headers: try service.lineHeaders.map { ($0.name.rawName, $0.value) },
                    body: .stream(length: nil, pieces), deadline: .seconds(240)))
            #expect(response.status == 200 && response["Connection"] == nil)
            var answer = response.body.makeAsyncIterator()
            var text = ""
            while !text.contains("\n"), let piece = try await answer.next() {
                text += String(decoding: piece, as: UTF8.self)
            }
            #expect(text.hasPrefix(#"{"line":1,"prediction":{"#))
            sender.yield(Array("}\n\(question)".utf8))
            sender.finish()
            while let piece = try await answer.next() { text += String(decoding: piece, as: UTF8.self) }
            let lines = text.split(separator: "\n")
            #expect(lines.count == 4 && lines[1].contains(#""line":2"#) && lines[1].contains(#""error":"#))
            #expect(lines.last == #"{"end":{"answered":2,"lines":3}}"#)
            await http.shutdown()
        }
    }

    @Test("a stream whose first lines the node has no room or no history for is refused whole, with Retry-After")
    func streamRefused() async throws {
        try await PredictionsOverHTTP.with(deployed: false) { service in
            func send() async throws -> (HTTPResponse.Status, String?) {
                try await service.client.execute(
                    uri: "/api/v1/predictions/stream", method: .post, headers: try service.lineHeaders,
                    body: ByteBuffer(string: "{\n\(question)\n")
                ) { ($0.status, $0.headers[.retryAfter]) }
            }
            let overloaded = try await service.admission.admit(1_000) { try await send() }
            service.upstream.state.withLock { $0.cutsFeed = true }
            let withoutHistory = try await send()
            service.upstream.state.withLock { $0.cutsFeed = false }
            let answered = try await send()

            #expect(overloaded.0 == .serviceUnavailable && overloaded.1 == "1")
            #expect(withoutHistory.0 == .serviceUnavailable && withoutHistory.1 != nil)
            #expect(answered.0 == .ok)
        }
    }

    @Test("a node without room refuses a batch with Retry-After, whatever stands in it")
    func batchRefused() async throws {
        try await PredictionsOverHTTP.with(deployed: false) { service in
            // Megabytes that are no JSON.
            let body = String(repeating: "{", count: 2 << 20)
            let shed = try await service.admission.admit(1_000) {
                try await service.send(.post, "/api/v1/predictions/batch", body)
            }
            #expect(shed.status == .serviceUnavailable && shed.headers[.retryAfter] == "1")
        }
    }

    @Test("a node without room refuses a batch before its body has come")
    func batchRefusedUnread() async throws {
        try await PredictionsOverHTTP.with(deployed: false, over: .live) { service in
            let http = HTTPClient(logger: PostgresCluster.quietLogger)
            var headers = try service.lineHeaders
            headers[.contentType] = "application/json"
            let fields = headers.map { ($0.name.rawName, $0.value) }
            let url = "http://127.0.0.1:\(service.client.port ?? 0)/api/v1/predictions/batch"
            // Megabytes are announced, and never sent whole.
            let (pieces, sender) = AsyncThrowingStream.makeStream(of: [UInt8].self)
            sender.yield(Array(#"{"requests": ["#.utf8))
            let response = try await service.admission.admit(1_000) {
                try await http.execute(
                    HTTPClientRequest(
                        method: "POST", url: url, headers: fields, body: .stream(length: 8 << 20, pieces),
                        deadline: .seconds(240)))
            }
            #expect(response.status == 503 && response["Retry-After"] == "1")
            sender.finish(throwing: CancellationError())
            await http.shutdown()
        }
    }

    @Test("a person made a moment ago is known")
    func newEmployee() async throws {
        try await PredictionsOverHTTP.with { service async throws in
            #expect(try await service.send(.post, "/api/v1/predictions", question).status == .ok)
            let new = HistoryEmployee(
                id: EmployeeID(), externalId: "new", name: "New", weeklyCapacityHours: 40, isActive: true, hiredOn: nil,
                leftOn: nil, skills: [])
            let tenant = service.tenant
            service.upstream.state.withLock { $0.lines[tenant]?.insert(.employee(new), at: 0) }
            let asked = question.replacing(employee.description, with: new.id.description)

            #expect(try await service.send(.post, "/api/v1/predictions", asked).status == .ok)
        }
    }

    @Test("the name of an anonymised person is removed from the predictions that name them, of that tenant only")
    func erased() async throws {
        try await PredictionsOverHTTP.with { service in
            let answer = try await service.send(.post, "/api/v1/predictions", question)
            let id = try #require(answer.body["data"]?["predictionId"]?.stringValue)
            guard case .array(let others)? = answer.body["data"]?["alternativeOptions"], let first = others.first,
                let person = first["employeeId"]?.stringValue.flatMap({ EmployeeID($0) })
            else {
                Issue.record("no alternatives")
                return
            }
            func names() async throws -> [String?] {
                let record = try await service.send(.get, "/api/v1/predictions/\(id)").body["data"]
                guard case .array(let options)? = record?["prediction"]?["alternativeOptions"] else { return [] }
                return options.map { $0["name"]?.stringValue }
            }
            let before = try await names()
            let foreign = Erasure(tenantId: TenantID(), employeeId: person)
            try await PersonEraser.erase(foreign, in: service.database)
            #expect(try await names() == before)
            try await PersonEraser.erase(
                Erasure(tenantId: service.tenant, employeeId: person), in: service.database)
            let after = try await names()

            #expect(!before.isEmpty && !before.contains(Erasure.name))
            #expect(after == [Erasure.name as String?] + Array(before.dropFirst()))

            // The person asked about stands beside the others.
            func own() async throws -> String? {
                try await service.send(.get, "/api/v1/predictions/\(id)").body["data"]?["prediction"]?["standing"]?[
                    "name"]?.stringValue
            }
            let name = try await own()
            try await PersonEraser.erase(
                Erasure(tenantId: service.tenant, employeeId: employee), in: service.database)
            #expect(try await own() == Erasure.name && name != nil && name != Erasure.name)
        }
    }

    @Test("an outcome from before its question is refused")
    func earlyOutcome() async throws {
        try await PredictionsOverHTTP.with { service in
            let answer = try await service.send(.post, "/api/v1/predictions", question)
            let id = try #require(answer.body["data"]?["predictionId"]?.stringValue)
            let early = try await service.send(
                .put, "/api/v1/predictions/\(id)/actual", #"{"actualHours": 1, "completedAt": "2020-01-01T00:00:00Z"}"#)
            #expect(early.status == .unprocessableContent && "\(early.body)".contains("completedAt"))
            let after = try await service.send(.put, "/api/v1/predictions/\(id)/actual", #"{"actualHours": 1}"#)
            #expect(after.status == .ok)
        }
    }

    @Test("a history feed that is cut short is not used")
    func cutFeed() async throws {
        try await PredictionsOverHTTP.with { service in
            service.upstream.state.withLock { $0.cutsFeed = true }
            let answer = try await service.send(.post, "/api/v1/predictions", question)
            #expect(answer.status == .serviceUnavailable)
        }
    }

    @Test("the same Idempotency-Key gives the same prediction, another question under it is refused")
    func idempotent() async throws {
        try await PredictionsOverHTTP.with { service in
            let key: HTTPFields = [HTTPField.Name("Idempotency-Key")!: "k-1"]
            let first = try await service.send(.post, "/api/v1/predictions", question, headers: key)
            let again = try await service.send(.post, "/api/v1/predictions", question, headers: key)
            #expect(first.status == .ok && first.body == again.body)
            let other = question.replacing("12", with: "13")
            let refused = try await service.send(.post, "/api/v1/predictions", other, headers: key)
            #expect(refused.status == .unprocessableContent)
            #expect(refused.body["code"]?.stringValue == "idempotency_key_reused")
        }
    }

    @Test("each prediction made is counted for its tenant, one given again or refused is not")
    func counted() async throws {
        try await PredictionsOverHTTP.with { service in
            let key: HTTPFields = [HTTPField.Name("Idempotency-Key")!: "k-1"]
            for _ in 0..<2 { _ = try await service.send(.post, "/api/v1/predictions", question, headers: key) }
            let batch = #"{"requests": [\#(question), \#(question), \#(question)]}"#
            #expect(try await service.send(.post, "/api/v1/predictions/batch", batch).status == .ok)
            #expect(try await service.send(.post, "/api/v1/predictions", "{}").status == .unprocessableContent)
            let counts = service.usage.take()
            #expect(counts.map(\.predictions) == [4] && counts.map(\.tenantId) == [service.tenant])
        }
    }

    @Test("a batch of hundreds is answered and stored whole, under a key once, or not at all")
    func largeBatch() async throws {
        let count = 600
        let one = #"{"employeeId": "\#(employee)", "projectId": "\#(project)", "plannedHours": 12, "alternatives": 0}"#
        @Sendable func body(_ questions: [String]) -> String {
            #"{"requests": [\#(questions.joined(separator: ", "))]}"#
        }
        try await PredictionsOverHTTP.with(deployed: false) { service in
            func stored() async throws -> Int {
                try await service.database.withTenantRows(service.tenant) {
                    try await $0.query("SELECT count(*) FROM predictions")[0].decode(at: 0, as: Int.self)
                }
            }
            let key: HTTPFields = [.idempotencyKey: "large"]
            let whole = body(Array(repeating: one, count: count))
            let first = try await service.send(.post, "/api/v1/predictions/batch", whole, headers: key)
            guard case .array(let answers)? = first.body["data"] else {
                Issue.record("no answers: \(first.body)")
                return
            }
            #expect(Set(answers.compactMap { $0["predictionId"]?.stringValue }).count == count)
            #expect(try await stored() == count)
            let again = try await service.send(.post, "/api/v1/predictions/batch", whole, headers: key)
            #expect(again.body == first.body)

            let stranger = one.replacing(employee.description, with: EmployeeID().description)
            let wrong = try await service.send(
                .post, "/api/v1/predictions/batch", body(Array(repeating: one, count: count) + [stranger]))
            #expect(wrong.status == .unprocessableContent && "\(wrong.body)".contains("requests[\(count)].employeeId"))
            #expect(try await stored() == count)
        }
    }

    @Test("of equal questions of one batch each has the outcome of its own booking, in their order")
    func outcomesOfBatch() async throws {
        let history = TrainedModel.history
        let (employee, project) = (history.employees[0].id, history.projects[1].id)
        @Sendable func booking(_ seconds: Double, hours: Double) -> HistoryLine {
            let booked = Date().addingTimeInterval(seconds)
            return .allocation(
                Allocation(
                    id: AllocationID(), externalId: "new-\(hours)", employeeId: employee, projectId: project,
                    allocationPercentage: 50, allocatedHours: 12, plannedHours: 12, actualHours: hours,
                    requiredSkills: [], labels: [:], startDate: CivilDate(booked), endDate: nil,
                    completedAt: booked.addingTimeInterval(3_600), createdAt: booked))
        }
        try await PredictionsOverHTTP.with { service in
            func question(_ hours: Int) -> String {
                #"{"employeeId": "\#(employee)", "projectId": "\#(project)", "plannedHours": \#(hours)}"#
            }
            let questions = [12, 30, 12, 12].map(question).joined(separator: ",")
            let asked = try await service.send(.post, "/api/v1/predictions/batch", #"{"requests": [\#(questions)]}"#)
            guard case .array(let answers)? = asked.body["data"] else {
                Issue.record("no answers: \(asked.body)")
                return
            }
            let ids = answers.compactMap { $0["predictionId"]?.stringValue }
            #expect(ids.count == 4 && ids == ids.sorted())
            func outcomes() async throws -> [Double?] {
                var found: [Double?] = []
                for id in ids {
                    let record = try await service.send(.get, "/api/v1/predictions/\(id)")
                    found.append(record.body["data"]?["actual"]?["actualHours"]?.doubleValue)
                }
                return found
            }
            service.upstream.state.withLock { $0.lines[service.tenant]?.append(booking(60, hours: 7)) }
            #expect(try await outcomes() == [7, nil, nil, nil])
            service.upstream.state.withLock { $0.lines[service.tenant]?.append(booking(120, hours: 9)) }
            #expect(try await outcomes() == [7, nil, 9, nil])
            service.upstream.state.withLock { $0.lines[service.tenant]?.append(booking(180, hours: 11)) }
            #expect(try await outcomes() == [7, nil, 9, 11])
        }
    }

    @Test("asked as of a moment, later history changes nothing")
    func asOf() async throws {
        try await PredictionsOverHTTP.with { service in
            let moment = WireJSON.timestamp(SyntheticHistory.start.addingTimeInterval(15 * 86_400))
            let body = question.dropLast() + #", "asOf": "\#(moment)"}"#
            let first = try await service.send(.post, "/api/v1/predictions", String(body))
            let (other, early) = (TenantID(), SyntheticHistory.start.addingTimeInterval(15 * 86_400))
            service.upstream.state.withLock { state in
                state.deployments[other] = state.deployments[service.tenant]
                state.lines[other] = TrainedModel.history.lines.filter {
                    if case .allocation(let allocation) = $0 { allocation.createdAt < early } else { true }
                }
            }
            let then = try await service.send(.post, "/api/v1/predictions", String(body), tenant: other)
            let fields = [
                "estimatedHours", "successProbability", "confidence", "recommendedAllocation", "alternativeOptions",
            ]
            for field in fields { #expect(first.body["data"]?[field] == then.body["data"]?[field], "\(field)") }
        }
    }

    @Test("outcome and feedback are kept, a stale If-Match is refused, and the day's metrics follow")
    func outcome() async throws {
        try await PredictionsOverHTTP.with { service in
            let answer = try await service.send(.post, "/api/v1/predictions", question)
            let id = try #require(answer.body["data"]?["predictionId"]?.stringValue)
            let hours = try #require(answer.body["data"]?["estimatedHours"]?.doubleValue)
            let read = try await service.send(.get, "/api/v1/predictions/\(id)")
            let tag = try #require(read.headers[.eTag])
            let actual = try await service.send(
                .put, "/api/v1/predictions/\(id)/actual", #"{"actualHours": \#(hours)}"#, headers: [.ifMatch: tag])
            #expect(actual.status == .ok)
            let stale = try await service.send(
                .put, "/api/v1/predictions/\(id)/actual", #"{"actualHours": 1}"#, headers: [.ifMatch: tag])
            #expect(stale.status == .preconditionFailed)
            let ahead = try await service.send(
                .put, "/api/v1/predictions/\(id)/actual", #"{"actualHours": 1, "completedAt": "9999-01-01T00:00:00Z"}"#)
            #expect(ahead.status == .unprocessableContent && "\(ahead.body)".contains("completedAt"))
            let feedback = try await service.send(.post, "/api/v1/predictions/\(id)/feedback", #"{"score": 4}"#)
            #expect(feedback.body["data"]?["feedbackScore"] == .integer(4))
            let bad = try await service.send(.post, "/api/v1/predictions/\(id)/feedback", #"{"score": 6, "mood": 1}"#)
            #expect(bad.status == .unprocessableContent)

            let metrics = try await service.send(.get, "/api/v1/metrics")
            guard case .array(let days)? = metrics.body["data"], let day = days.first else {
                Issue.record("no metrics: \(metrics.body)")
                return
            }
            #expect(day["predictionsCount"] == .integer(1) && day["avgAccuracy"]?.doubleValue == 100)
        }
    }

    @Test("a parameter that a route does not know is refused everywhere, and nothing is predicted or changed")
    func unknownParameters() async throws {
        try await PredictionsOverHTTP.with { service in
            let made = try await service.send(.post, "/api/v1/predictions", question)
            let id = try #require(made.body["data"]?["predictionId"]?.stringValue)
            let requests: [(HTTPRequest.Method, String, String?)] = [
                (.post, "predictions", question), (.post, "predictions/batch", #"{"requests": [\#(question)]}"#),
                (.get, "predictions", nil), (.get, "predictions/\(id)", nil), (.get, "metrics", nil),
                (.put, "predictions/\(id)/actual", #"{"actualHours": 3}"#),
                (.post, "predictions/\(id)/feedback", #"{"score": 3}"#),
            ]
            for (method, path, body) in requests {
                let answer = try await service.send(method, "/api/v1/\(path)?dryRun=true", body)
                #expect(answer.status == .unprocessableContent, "\(method) \(path)")
                #expect("\(answer.body)".contains("\"dryRun\""), "\(method) \(path)")
            }
            guard case .array(let all)? = try await service.send(.get, "/api/v1/predictions").body["data"] else {
                Issue.record("no list")
                return
            }
            #expect(all.count == 1 && all[0]["actual"] == nil && all[0]["feedbackScore"] == nil)
            let cursor = Base64URL.encode(
                Array(#"{"createdAtMicroseconds": 9223372036854775807, "id": "\#(PredictionID())"}"#.utf8))
            let refused = try await service.send(
                .get, "/api/v1/predictions?cursor=\(ListCursor.wrap(cursor, of: "/api/v1/predictions"))")
            #expect(refused.status == .unprocessableContent && "\(refused.body)".contains("\"cursor\""))
        }
    }

    @Test("a list of predictions names what is wrong with the question")
    func listRefused() async throws {
        try await PredictionsOverHTTP.with(deployed: false) { service in
            let path = "/api/v1/predictions"
            for _ in 0..<2 { _ = try await service.send(.post, path, question) }
            let page = try await service.send(.get, path + "?limit=1")
            let cursor = try #require(page.body["page"]?["nextCursor"]?.stringValue)
            let foreign = ListCursor.wrap(String(cursor.split(separator: ".")[1]), of: "/api/v1/jobs")
            for (query, field) in [
                ("from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z", "to"), ("from=2026-02-01", "from"),
                ("limit=0", "limit"), ("limit=-1", "limit"), ("limit=501", "limit"),
                ("limit=99999999999999999999", "limit"), ("cursor=\(foreign)", "cursor"), ("cursor=", "cursor"),
                ("employeeId=7", "employeeId"), ("projectId=", "projectId"), ("modelId=x", "modelId"),
                ("decision=maybe", "decision"), ("outcome=good", "outcome"), ("limit=1&limit=1", "limit"),
                ("person=\(employee)", "person"),
            ] {
                let answer = try await service.send(.get, "\(path)?\(query)")
                #expect(answer.status == .unprocessableContent, "\(query)")
                #expect("\(answer.body)".contains("string(\"\(field)\")"), "\(query): \(answer.body)")
            }
            let next = try await service.send(.get, path + "?limit=1&cursor=\(cursor)")
            #expect(next.status == .ok && next.body["page"]?["nextCursor"] == .null)
            let whole = try await service.send(.get, path)
            guard case .array(let first)? = page.body["data"], case .array(let second)? = next.body["data"] else {
                Issue.record("no lists: \(page.body), \(next.body)")
                return
            }
            #expect(first.count == 1 && whole.body["data"] == .array(first + second))
            let unknown = try await service.send(.get, "\(path)?employeeId=\(EmployeeID())")
            #expect(unknown.status == .ok && unknown.body["data"] == .array([]))
        }
    }

    @Test("metrics take any span of at most 400 days, the calendar's ends too, and name what is wrong with others")
    func metricsSpans() async throws {
        try await PredictionsOverHTTP.with { service in
            _ = try await service.send(.post, "/api/v1/predictions", question)
            func days(_ query: String) async throws -> Int? {
                let answer = try await service.send(.get, "/api/v1/metrics?\(query)")
                guard answer.status == .ok, case .array(let days)? = answer.body["data"] else { return nil }
                return days.count
            }
            let today = CivilDate(Date())
            #expect(try await days("to=0001-01-01") == 0)
            #expect(try await days("from=0001-01-01&to=0001-01-01") == 0)
            #expect(try await days("from=9999-12-31&to=9999-12-31") == 0)
            #expect(try await days("from=9999-12-01&to=9999-12-31") == 0)
            #expect(try await days("from=\(today)&to=\(today)") == 1)
            #expect(try await days("from=\(today.adding(days: -399))&to=\(today)") == 1)
            for (query, field) in [
                ("from=0001-01-01&to=9999-12-31", "from"), ("from=\(today.adding(days: -400))&to=\(today)", "from"),
                ("from=\(today)&to=\(today.adding(days: -1))", "to"), ("from=2026-02-30", "from"),
                ("to=10000-01-01", "to"), ("from=0000-12-31", "from"), ("from=9999-12-31", "to"),
                ("modelId=7", "modelId"),
            ] {
                let answer = try await service.send(.get, "/api/v1/metrics?\(query)")
                #expect(answer.status == .unprocessableContent, "\(query)")
                #expect("\(answer.body)".contains("string(\"\(field)\")"), "\(query)")
            }
        }
    }

    @Test("permissions are checked again in the service, which accepts the gateway only")
    func permissions() async throws {
        try await PredictionsOverHTTP.with { service in
            let reader = [Permission(resource: "ml", actions: ["read"])]
            let refused = try await service.send(.post, "/api/v1/predictions", question, permissions: reader)
            #expect(refused.status == .forbidden)
            let bare = try await service.client.execute(uri: "/api/v1/predictions", method: .get) { $0.status }
            #expect(bare == .unauthorized)
        }
    }
}
