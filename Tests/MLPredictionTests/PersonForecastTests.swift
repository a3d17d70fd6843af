import Contracts
import Foundation
import HTTPTypes
import HummingbirdTesting
import NIOCore
import Postgres
import ServiceIdentity
import ServiceKit
import ServiceStorage
import Synchronization
import TestSupport
import Testing

@testable import MLPrediction

/// What is kept about one person, and how people of different departments fare.
@Suite struct PersonForecastTests {
    private let history = TrainedModel.history
    private var employee: HistoryEmployee { history.employees[1] }
    private var project: ProjectID { history.projects[0].id }

    private func predicted(_ service: PredictionsOverHTTP, _ employee: EmployeeID) async throws -> JSONValue {
        let answer = try await service.send(
            .post, "/api/v1/predictions",
            #"{"employeeId": "\#(employee)", "projectId": "\#(project)", "plannedHours": 12, "requiredSkills": ["SQL"]}"#
        )
        return try #require(answer.body["data"], "\(answer.body)")
    }

    private func export(
        _ service: PredictionsOverHTTP, _ query: String, tenant: TenantID? = nil, accept: String? = nil
    ) async throws -> (status: HTTPResponse.Status, text: String, type: String?) {
        let caller = Caller(
            issuer: .gateway, tenant: tenant ?? service.tenant, subject: "user",
            permissions: [Permission(resource: "ml", actions: ["read"])])
        var headers: HTTPFields = [:]
        headers[.authorization] = "Bearer \(try service.gateway.assertion(for: .mlPrediction, caller: caller))"
        if let accept { headers[.accept] = accept }
        return try await service.client.execute(
            uri: "/api/v1/predictions/export?\(query)", method: .get, headers: headers
        ) { ($0.status, String(buffer: $0.body), $0.headers[.contentType]) }
    }

    @Test(
        "all forecasts about a person, as an alternative too, are exported with their reasons, and no other person's")
    func exported() async throws {
        try await PredictionsOverHTTP.with { service in
            let own = try await predicted(service, employee.id)
            let named = try await predicted(service, history.employees[3].id)
            guard case .array(let others)? = named["alternativeOptions"],
                let option = others.first(where: { $0["employeeId"]?.stringValue == employee.id.description })
            else {
                Issue.record("the person is no alternative: \(named)")
                return
            }
            let id = try #require(own["predictionId"]?.stringValue)
            _ = try await service.send(
                .post, "/api/v1/predictions/\(id)/decision",
                #"{"decision": "accepted", "reason": "Knows \"it\", well"}"#)
            let answer = try await export(service, "employeeId=\(employee.id)")
            #expect(answer.status == .ok && answer.type == "application/x-ndjson")
            let lines = try answer.text.split(separator: "\n").map {
                try WireJSON.decode(JSONValue.self, from: $0.utf8)
            }
            #expect(lines.count == 2)
            let alternative = lines.first { $0["role"]?.stringValue == "alternative" }
            let asked = lines.first { $0["role"]?.stringValue == "asked" }
            #expect(alternative?["estimatedHours"] == option["estimatedHours"])
            #expect(alternative?["score"] == option["score"] && alternative?["explanation"] == .array([]))
            #expect(asked?["estimatedHours"] == own["estimatedHours"] && asked?["explanation"] == own["explanation"])
            // In what they were compared with others, as an alternative and as the person asked about.
            for field in ["availability", "skillMatch", "skillFit", "rank"] {
                #expect(alternative?[field]?.doubleValue != nil && alternative?[field] == option[field], "\(field)")
                #expect(asked?[field]?.doubleValue != nil && asked?[field] == own["standing"]?[field], "\(field)")
            }
            #expect(asked?["decision"]?.stringValue == "accepted" && asked?["requestedBy"]?.stringValue == "user")
            #expect(!answer.text.contains("Person "))
            // With what the model was asked, which is the asked person's.
            let kept = try await service.send(.get, "/api/v1/predictions/\(id)").body["data"]?["features"]
            guard case .array(let features)? = asked?["features"] else {
                Issue.record("no features: \(String(describing: asked))")
                return
            }
            #expect(features.count > 20 && asked?["features"] == kept && alternative?["features"] == nil)

            guard case .array(let effects)? = own["explanation"] else {
                Issue.record("no explanation: \(own)")
                return
            }
            let reasons = effects.compactMap { $0["text"]?.stringValue }
            #expect(reasons.count == effects.count)
            for csv in [
                try await export(service, "employeeId=\(employee.id)&format=csv"),
                try await export(service, "employeeId=\(employee.id)", accept: "text/csv"),
            ] {
                let rows = csv.text.split(separator: "\r\n")
                #expect(csv.type?.hasPrefix("text/csv") == true && rows.count == 3)
                #expect(rows.first == PersonForecast.csvHeader.split(separator: "\r\n").first)
                #expect(rows.first?.hasSuffix(",skill_fit,rank,explanation_text,features") == true)
                // The newest first: the one that names the person as an alternative, which has no reasons.
                #expect(rows[1].split(separator: ",").last.flatMap { Int($0) } != nil)
                for text in reasons { #expect(csv.text.contains(text)) }
                for feature in features { #expect(csv.text.contains((feature["name"]?.stringValue ?? "?") + "=")) }
                #expect(csv.text.contains(#""Knows ""it"", well""#))
            }
            #expect(try await export(service, "employeeId=\(employee.id)&from=2999-01-01T00:00:00Z").text.isEmpty)
            #expect(try await export(service, "format=csv").status == .unprocessableContent)
        }
    }

    @Test("an export names what is wrong with the question, and is told of no other tenant's person")
    func exportRefused() async throws {
        try await PredictionsOverHTTP.with { service in
            _ = try await predicted(service, employee.id)
            let other = TenantID()
            service.upstream.state.withLock { $0.lines[other] = [] }
            let (early, late) = ("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z")
            for (query, tenant, field) in [
                ("employeeId=\(EmployeeID())", nil, "employeeId"), ("employeeId=\(employee.id)", other, "employeeId"),
                ("employeeId=\(employee.id)&from=\(late)&to=\(early)", nil, "to"),
                ("employeeId=\(employee.id)&employeeId=\(employee.id)", nil, "employeeId"),
                ("employeeId=\(employee.id)&limit=1", nil, "limit"),
            ] as [(String, TenantID?, String)] {
                let answer = try await export(service, query, tenant: tenant)
                #expect(answer.status == .unprocessableContent, "\(query)")
                #expect(answer.text.contains(#""field":"\#(field)""#), "\(query): \(answer.text)")
            }
            // Somebody nothing was asked about yet.
            #expect(try await export(service, "employeeId=\(employee.id)&to=\(early)").status == .ok)
        }
    }

    @Test("an export of more forecasts than are read at a time has every one, once")
    func exportedInBatches() async throws {
        let count = 2 * PersonForecasts.batch + 1
        try await PredictionDatabase.with { fixture in
            let (tenant, person) = (TenantID(), EmployeeID())
            // Many of one moment, as a batch makes them.
            let moment = Date()
            let predictions = (0..<count).map { index in
                NewPrediction(
                    request: PredictionRequest(employeeId: person, projectId: ProjectID(), plannedHours: 8),
                    prediction: Prediction(
                        predictionId: PredictionID(), recommendedAllocation: 20, allocationNote: nil, estimatedHours: 8,
                        successProbability: 0.5, confidence: 60, interval: nil, intervals: [], explanation: [],
                        model: PredictionModel(id: nil, version: 0, kind: "baseline"), alternativeOptions: [],
                        asOf: moment), createdAt: moment.addingTimeInterval(Double(index / 150)))
            }
            _ = try await fixture.log.append(predictions, key: nil, requestedBy: "u", tenant: tenant)
            let forecasts = PersonForecasts(database: fixture.database)
            let question = PersonForecasts.Question(employee: person, from: nil, to: nil)
            var seen: [PredictionID] = []
            var batch = try await forecasts.forecasts(question, after: nil, tenant: tenant)
            while let last = batch.last {
                seen += batch.map(\.predictionId)
                batch = try await forecasts.forecasts(
                    question, after: .init(createdAt: last.createdAt, id: last.predictionId), tenant: tenant)
            }
            #expect(seen.count == count && Set(seen).count == count)
        }
    }

    @Test(
        "a name that an answer under way brings after the first run is erased by the second, before the confirmation")
    func erasedTwice() async throws {
        try await PredictionsOverHTTP.with { service in
            let clock = ManualClock()
            let eraser = PersonEraser(database: service.database, settling: .seconds(60), now: clock.now)
            let erasures = PersonErasures(
                client: service.tenantAdmin, interval: .seconds(1), logger: PostgresCluster.quietLogger, now: clock.now,
                erase: eraser.erase)
            let id = try #require(try await predicted(service, employee.id)["predictionId"]?.stringValue)
            for (route, body) in [
                ("feedback", #"{"score": 2, "comment": "Person 1 is slow"}"#),
                ("decision", #"{"decision": "rejected", "reason": "Person 1 is ill"}"#),
            ] {
                #expect(try await service.send(.post, "/api/v1/predictions/\(id)/\(route)", body).status == .ok)
            }
            let erasure = Erasure(tenantId: service.tenant, employeeId: employee.id)
            service.upstream.state.withLock { $0.erasures = [erasure] }
            try await erasures.eraseDue()
            let record = try await service.send(.get, "/api/v1/predictions/\(id)")
            #expect(!"\(record.body)".contains("is slow") && !"\(record.body)".contains("is ill"))
            #expect(record.body["data"]?["feedbackScore"] == .integer(2))
            #expect(record.body["data"]?["decision"]?["decision"]?.stringValue == "rejected")
            #expect(service.upstream.state.withLock { $0.erasures } == [erasure])

            let late = try #require(
                try await predicted(service, history.employees[3].id)["predictionId"]?.stringValue)
            func isNamed() async throws -> Bool {
                let record = try await service.send(.get, "/api/v1/predictions/\(late)")
                return "\(record.body)".contains(employee.name)
            }
            #expect(try await isNamed())
            try await erasures.eraseDue()
            #expect(service.upstream.state.withLock { $0.erasures } == [erasure])
            clock.advance(by: .seconds(61))
            try await erasures.eraseDue()
            #expect(try await !isNamed())
            #expect(service.upstream.state.withLock { $0.erasures }.isEmpty)
        }
    }

    @Test(
        "who is new on the list is erased at the next look at it, and who could not be erased after the interval",
        .timeLimit(.minutes(5)))
    func erasedSoon() async throws {
        try await PredictionsOverHTTP.with { service in
            let clock = ManualClock()
            let calls = Mutex<[[EmployeeID]]>([])
            let erasures = PersonErasures(
                client: service.tenantAdmin, interval: .seconds(3600), pause: .milliseconds(1),
                logger: PostgresCluster.quietLogger, now: clock.now
            ) { people in
                calls.withLock { $0.append(people.map(\.employeeId)) }
                return []
            }
            let people = history.employees.prefix(2).map {
                Erasure(tenantId: service.tenant, employeeId: $0.id, isDeleted: true)
            }
            let ids = people.map(\.employeeId)
            service.upstream.state.withLock { $0.erasures = [people[0]] }
            let work = Task { try await erasures.run() }
            defer { work.cancel() }
            try await waitUntil("the first person is erased") { calls.withLock { $0 == [[ids[0]]] } }
            service.upstream.state.withLock { $0.erasures = people }
            // Nothing is awaited but the next look: the interval does not pass.
            try await waitUntil("the second person is erased") { calls.withLock { $0 == [[ids[0]], [ids[1]]] } }
            clock.advance(by: .seconds(3601))
            try await waitUntil("both are tried again") {
                calls.withLock { $0.dropFirst(2).joined().count { ids.contains($0) } == 2 }
            }
            work.cancel()
            try await work.value
        }
    }

    @Test("of an anonymised person's predictions all that people wrote goes, and of a deleted person's the predictions")
    func written() async throws {
        try await PredictionDatabase.with { fixture in
            let (tenant, person, other) = (TenantID(), EmployeeID(), EmployeeID())
            func prediction(about asked: EmployeeID, _ title: String, naming named: EmployeeID) -> NewPrediction {
                let option = AlternativeOption(
                    employeeId: named, name: "Secretname", estimatedHours: 8, successProbability: nil, availability: 1,
                    skillMatch: 1, score: 1)
                let reasons = [
                    FeatureEffect(feature: "words", effect: 1.2, text: "Everyone has 3 tasks with “\(title)”."),
                    FeatureEffect(feature: "all", effect: 1, text: "Everyone together has finished 70 tasks."),
                ]
                return NewPrediction(
                    request: PredictionRequest(
                        employeeId: asked, projectId: ProjectID(), plannedHours: 8, labels: ["for": title],
                        title: title),
                    prediction: Prediction(
                        predictionId: PredictionID(), recommendedAllocation: 20, allocationNote: nil, estimatedHours: 8,
                        successProbability: 0.5, confidence: 60, interval: nil, intervals: [], explanation: reasons,
                        model: PredictionModel(id: nil, version: 0, kind: "baseline"), alternativeOptions: [option],
                        asOf: Date()), createdAt: Date())
            }
            let own = prediction(about: person, "Handover of Secretname", naming: other)
            let foreign = prediction(about: other, "Relaunch", naming: person)
            _ = try await fixture.log.append([own, foreign], key: nil, requestedBy: "u", tenant: tenant)
            func record(_ new: NewPrediction) async throws -> PredictionRecord? {
                try await fixture.log.record(new.prediction.predictionId, tenant: tenant)?.record
            }

            try await PersonEraser.erase(Erasure(tenantId: tenant, employeeId: person), in: fixture.database)
            let nameless = try #require(try await record(own))
            #expect(nameless.request.title == nil && nameless.request.labels == nil)
            #expect(nameless.request.plannedHours == 8 && nameless.prediction.estimatedHours == 8)
            let reasons = nameless.prediction.explanation
            #expect(reasons.map(\.effect) == [1.2, 1])
            #expect(reasons.map(\.text) == [nil, "Everyone together has finished 70 tasks."])
            // What others are asked about is theirs.
            func expectOthers(toNameOptions names: [String]) async throws {
                let others = try #require(try await record(foreign))
                #expect(others.request.title == "Relaunch" && others.request.labels == ["for": "Relaunch"])
                #expect(others.prediction.explanation == foreign.prediction.explanation)
                #expect(others.prediction.alternativeOptions.map(\.name) == names)
            }
            try await expectOthers(toNameOptions: [Erasure.name])

            try await PersonEraser.erase(
                Erasure(tenantId: tenant, employeeId: person, isDeleted: true), in: fixture.database)
            #expect(try await record(own) == nil)
            try await expectOthers(toNameOptions: [])
        }
    }

    @Test(
        "an answer that was erased is not given again under its Idempotency-Key, nor another made",
        arguments: [false, true])
    func erasedAnswer(isDeleted: Bool) async throws {
        try await PredictionsOverHTTP.with { service in
            let key: HTTPFields = [HTTPField.Name("Idempotency-Key")!: "k-1"]
            let question = #"{"employeeId": "\#(employee.id)", "projectId": "\#(project)", "plannedHours": 12}"#
            let made = try await service.send(.post, "/api/v1/predictions", question, headers: key)
            #expect(made.status == .ok)
            try await PersonEraser.erase(
                Erasure(tenantId: service.tenant, employeeId: employee.id, isDeleted: isDeleted), in: service.database)
            let repeated = try await service.send(.post, "/api/v1/predictions", question, headers: key)
            #expect(repeated.status == .gone)
            #expect(repeated.body["code"]?.stringValue == "answer_erased")
        }
    }

    @Test("the forecasts about a person who stays are erased on demand, of that tenant only, and that is on record")
    func erasedOnDemand() async throws {
        try await PredictionsOverHTTP.with { service in
            let own = try #require(try await predicted(service, employee.id)["predictionId"]?.stringValue)
            let other = try #require(
                try await predicted(service, history.employees[3].id)["predictionId"]?.stringValue)
            func status(
                _ query: String, tenant: TenantID? = nil, _ actions: [String] = ["delete"]
            ) async throws -> Int {
                try await service.send(
                    .delete, "/api/v1/predictions\(query)", tenant: tenant,
                    permissions: [Permission(resource: "ml", actions: actions)]
                ).status.code
            }
            let (all, stranger) = ("?employeeId=\(employee.id)", TenantID())
            service.upstream.state.withLock { $0.lines[stranger] = [] }
            #expect(try await status(all, ["read", "predict", "feedback"]) == 403)
            #expect(try await status("") == 422)
            #expect(try await status(all, tenant: stranger) == 422)
            #expect(try await export(service, "employeeId=\(employee.id)").text.split(separator: "\n").count == 2)
            func asked() async throws -> Double? {
                guard case .array(let days)? = try await service.send(.get, "/api/v1/metrics").body["data"] else {
                    return nil
                }
                return days.reduce(0) { $0 + ($1["predictionsCount"]?.doubleValue ?? 0) }
            }
            #expect(try await asked() == 2)

            #expect(try await status(all) == 204)

            #expect(try await export(service, "employeeId=\(employee.id)").text.isEmpty)
            #expect(try await service.send(.get, "/api/v1/predictions/\(own)").status == .notFound)
            #expect(try await service.send(.get, "/api/v1/predictions/\(other)").status == .ok)
            // Nothing is left to erase, and nothing else is on record.
            #expect(try await status(all) == 204)
            let notes = try await service.database.withTenantRows(service.tenant) { connection in
                try await connection.query(
                    "SELECT note ->> 'entityId' AS id FROM audit_outbox WHERE note ->> 'action' = 'erase'"
                ).map { try $0.decode("id", as: String.self) }
            }
            #expect(notes == [employee.id.description])
            // A day of which nothing is left has no figures any more.
            #expect(try await asked() == 1)
            #expect(try await status("?employeeId=\(history.employees[3].id)") == 204)
            #expect(try await asked() == 0)
        }
    }

    @Test(
        "a purged tenant whose rows are held does not stop the next one's purge, and an answer written later is removed too",
        .timeLimit(.minutes(5)))
    func purged() async throws {
        try await PredictionsOverHTTP.with { service in
            let purger = TenantPurger(
                database: service.database, client: service.tenantAdmin, interval: .seconds(60), lockTimeout: "50ms",
                logger: PostgresCluster.quietLogger)
            func removals() -> [PurgeConfirmation] { service.upstream.state.withLock { $0.removals } }
            let other = TenantID()
            service.upstream.state.withLock { $0.purges = [service.tenant, other] }
            _ = try await predicted(service, employee.id)
            try await service.database.withTenantRows(service.tenant) { connection in
                try await connection.execute("SELECT FROM predictions FOR UPDATE")
                try await purger.purgeDue()
            }
            #expect(removals() == [PurgeConfirmation(tenantId: other, rows: 0)])
            // Accepted just before, and committed only now.
            for expected in [true, true, false] {
                if expected { _ = try await predicted(service, employee.id) }
                try await purger.purgeDue()
                let last = removals().last { $0.tenantId == service.tenant }
                #expect(((last?.rows ?? 0) > 0) == expected)
            }
        }
    }

    @Test("how many of each department were asked about, considered, proposed and booked is counted")
    func selection() async throws {
        let (first, second) = (DepartmentID(), DepartmentID())
        // People 1, 3 and 5 have the skill: 1 is of the first department, 3 of the second, 5 of none.
        let departments = [1: first, 3: second]
        let people = history.employees.enumerated().map { index, person in
            HistoryEmployee(
                id: person.id, externalId: person.externalId, name: person.name,
                weeklyCapacityHours: person.weeklyCapacityHours, isActive: true, hiredOn: person.hiredOn, leftOn: nil,
                skills: person.skills, departmentId: departments[index])
        }
        let lines = people.map(HistoryLine.employee) + history.lines.dropFirst(people.count)
        try await PredictionsOverHTTP.with(lines: lines) { service in
            var ids: [String] = []
            for person in [1, 1, 3, 5] {
                ids.append(
                    try #require(try await predicted(service, people[person].id)["predictionId"]?.stringValue))
            }
            for (id, body) in [
                (ids[0], #"{"decision": "accepted"}"#),
                (ids[1], #"{"decision": "changed", "instead": {"employeeId": "\#(people[3].id)"}}"#),
                (ids[2], #"{"decision": "rejected"}"#),
            ] {
                #expect(try await service.send(.post, "/api/v1/predictions/\(id)/decision", body).status == .ok)
            }
            // Nobody has decided, but it was worked on.
            _ = try await service.send(.put, "/api/v1/predictions/\(ids[3])/actual", #"{"actualHours": 5}"#)
            let answer = try await service.send(.get, "/api/v1/metrics/selection")
            guard case .array(let rows)? = answer.body["data"] else {
                Issue.record("no metrics: \(answer.body)")
                return
            }
            func row(_ department: DepartmentID?) -> [Double?]? {
                rows.first { ($0["departmentId"]?.stringValue) == department?.description }.map { row in
                    ["asked", "considered", "proposed", "booked", "proposedPercent"].map { row[$0]?.doubleValue }
                }
            }
            #expect(rows.count == 3)
            #expect(row(first) == [2, 2, 2, 1, 100], "\(answer.body)")
            #expect(row(second) == [1, 3, 3, 1, 100], "\(answer.body)")
            #expect(row(nil) == [1, 3, 3, 1, 100], "\(answer.body)")
            let foreign = try await service.send(.get, "/api/v1/metrics/selection", tenant: TenantID())
            #expect(foreign.body["data"] == .array([]))
        }
    }
}
