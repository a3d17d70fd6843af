import Contracts
import Foundation
import HTTPTypes
import Postgres
import ServiceKit
import TestSupport
import Testing

@testable import MLTraining

@Suite struct DeploymentOverHTTPTests {
    @Test("a forced deployment is in the history and in the log, with user and reason")
    func forced() async throws {
        let log = RecordedLog()
        try await TrainingService.with(logger: log.logger) { service in
            let model = try await service.fixture.model(of: service.tenant, passedGates: false)
            let path = "/api/v1/models/\(model)/deploy"
            let refused = try await service.send(.post, path)
            #expect(refused.status == .conflict && refused.body["code"]?.stringValue == "model_not_validated")
            #expect(!log.lines.contains { $0.contains("has not passed its gates") })
            let forced = try await service.send(.post, path, #"{"force": true, "note": "The plan is worse."}"#)
            #expect(forced.status == .ok && forced.data?["status"]?.stringValue == "deployed")
            let history = try await service.send(.get, "/api/v1/models/deployments")
            guard case .array(let records)? = history.data, let record = records.first else {
                Issue.record("no deployments")
                return
            }
            #expect(record["forced"] == .bool(true) && record["deployedBy"]?.stringValue == "user")
            #expect(record["reason"]?.stringValue == "deploy")
            #expect(record["note"]?.stringValue == "The plan is worse.")
            let line = try #require(log.lines.first { $0.contains("has not passed its gates") })
            for fact in ["warning", "\(service.tenant)", "\(model)", "\"actor\":\"user\""] {
                #expect(line.contains(fact), "\(fact)")
            }
            // One that has passed is no news, and what is on record stays as it is.
            let sound = try await service.fixture.model(of: service.tenant, passedGates: true)
            #expect(try await service.send(.post, "/api/v1/models/\(sound)/deploy").status == .ok)
            #expect(log.lines.filter { $0.contains("has not passed its gates") }.count == 1)
            await #expect(throws: (any Error).self) {
                try await service.fixture.asSuperuser { connection in
                    try await connection.execute("UPDATE ml_training.deployments SET forced = false")
                }
            }
        }
    }

    @Test("the list of models is slim: figures, card and hyperparameters are in the model itself")
    func slimList() async throws {
        try await TrainingService.with { service in
            let model = try await service.fixture.model(of: service.tenant, passedGates: true)
            let list = try await service.send(.get, "/api/v1/models")
            let whole = try await service.send(.get, "/api/v1/models/\(model)")
            guard case .array(let models)? = list.data, let summary = models.first else {
                Issue.record("no models")
                return
            }
            #expect(summary["id"]?.stringValue == model.description)
            for field in ["metrics", "card", "hyperparameters"] {
                #expect(summary[field] == nil && whole.data?[field] != nil, "\(field)")
            }
        }
    }

    @Test("a deployment or archiving under a stale tag is refused, under the present one done")
    func precondition() async throws {
        try await TrainingService.with { service in
            let model = try await service.fixture.model(of: service.tenant, passedGates: true)
            let other = try await service.fixture.model(of: service.tenant, passedGates: true)
            func tag(_ id: ModelID) async throws -> String {
                try #require(try await service.send(.get, "/api/v1/models/\(id)").headers[.eTag])
            }
            let old = try await tag(model)
            let deploy = "/api/v1/models/\(model)/deploy"
            let wrong = try await service.send(.post, deploy, headers: [.ifMatch: "\"other\""])
            #expect(wrong.status == .preconditionFailed)
            let deployed = try await service.send(.post, deploy, headers: [.ifMatch: old])
            #expect(deployed.status == .ok)
            #expect(deployed.headers[.eTag] == (try await tag(model)))
            #expect(try await service.send(.post, deploy, headers: [.ifMatch: old]).status == .preconditionFailed)
            let archive = "/api/v1/models/\(other)/archive"
            #expect(try await service.send(.post, archive, headers: [.ifMatch: old]).status == .preconditionFailed)
            #expect(try await service.send(.post, archive, headers: [.ifMatch: try await tag(other)]).status == .ok)
        }
    }

    @Test("the deployment history is read page by page, newest first, to its beginning")
    func history() async throws {
        try await TrainingService.with { service in
            var models: [ModelID] = []
            for _ in 0..<5 {
                models.append(try await service.fixture.model(of: service.tenant, passedGates: true))
                let deployed = try await service.send(.post, "/api/v1/models/\(models[models.count - 1])/deploy")
                try #require(deployed.status == .ok)
            }
            var (found, cursor, pages) = ([String](), "", 0)
            repeat {
                let page = try await service.send(.get, "/api/v1/models/deployments?limit=2\(cursor)")
                if case .array(let records)? = page.data { found += records.compactMap { $0["modelId"]?.stringValue } }
                cursor = page.body["page"]?["nextCursor"]?.stringValue.map { "&cursor=\($0)" } ?? ""
                pages += 1
            } while !cursor.isEmpty && pages < 9
            #expect(found == models.reversed().map(\.description) && pages == 3)
        }
    }

    @Test("a body where none belongs is refused and nothing is done; an empty object is none")
    func needlessBodies() async throws {
        try await TrainingService.with { service in
            let model = try await service.fixture.model(of: service.tenant, passedGates: true)
            let paths = ["/api/v1/models/\(model)/archive", "/api/v1/models/rollback"]
            for (path, body) in paths.flatMap({ path in ["{\"force\": true}", "[]", "5"].map { (path, $0) } }) {
                #expect(try await service.send(.post, path, body).status == .unprocessableContent, "\(path) \(body)")
            }
            #expect(try await service.fixture.registry.model(model, tenant: service.tenant)?.status == .validated)
            #expect(try await service.send(.post, paths[0], "{}").status == .ok)
            #expect(try await service.fixture.registry.model(model, tenant: service.tenant)?.status == .archived)
        }
    }

    @Test("a parameter that a route does not know is refused everywhere, and nothing is done")
    func unknownParameters() async throws {
        try await TrainingService.with { service in
            let model = try await service.fixture.model(of: service.tenant, passedGates: true)
            let job = try await service.fixture.enqueue(service.tenant)
            let requests: [(HTTPRequest.Method, String, String?)] = [
                (.post, "training/jobs", "{}"), (.get, "training/jobs", nil), (.get, "training/jobs/\(job)", nil),
                (.delete, "training/jobs/\(job)", nil), (.get, "training/jobs/\(job)/events", nil),
                (.get, "training/usage", nil), (.get, "models", nil), (.get, "models/deployments", nil),
                (.get, "models/\(model)", nil), (.get, "models/\(model)/artifact", nil),
                (.post, "models/\(model)/deploy", nil), (.post, "models/\(model)/archive", nil),
                (.post, "models/rollback", nil), (.get, "datasets", nil), (.get, "datasets/\(DatasetID())", nil),
                (.get, "datasets/\(DatasetID())/rows", nil), (.get, "datasets/\(DatasetID())/report", nil),
            ]
            for (method, path, body) in requests {
                let answer = try await service.send(method, "/api/v1/\(path)?forse=true", body)
                #expect(answer.status == .unprocessableContent, "\(method) \(path)")
                #expect("\(answer.body)".contains("\"forse\""), "\(method) \(path)")
            }
            for path in ["deployment", "models/\(model)/artifact"] {
                let answer = try await service.send(
                    .get, "/internal/v1/tenants/\(service.tenant)/\(path)?x=1", from: .mlPrediction)
                #expect(answer.status == .unprocessableContent, "\(path)")
            }
            #expect(try await service.fixture.jobs.standing(job, tenant: service.tenant)?.status == .queued)
            #expect(try await service.fixture.registry.deployed(tenant: service.tenant) == nil)
        }
    }

    @Test("an invalid or impossible cursor is refused under the field cursor")
    func cursors() async throws {
        try await TrainingService.with { service in
            let model = try await service.fixture.model(of: service.tenant, passedGates: true)
            let known = try await service.fixture.registry.model(model, tenant: service.tenant)
            let dataset = try #require(known?.datasetId)
            func time(_ microseconds: Int) -> String {
                #"{"createdAtMicroseconds": \#(microseconds), "id": "\#(JobID())"}"#
            }
            let lists: [(String, [String])] = [
                ("training/jobs", [time(.max), time(.min), "{}", "7"]), ("datasets", [time(.max), time(.min), "[]"]),
                ("models", [#"{"version": 9223372036854775807}"#, #"{"version": 1.5}"#]),
                ("datasets/\(dataset)/rows", [#"{"chunk": 99999999999, "line": 0}"#, #"{"chunk": 0}"#]),
            ]
            for (list, cursors) in lists {
                for cursor in cursors.map({ Base64URL.encode(Array($0.utf8)) }) + ["%25"] {
                    let answer = try await service.send(
                        .get, "/api/v1/\(list)?cursor=\(ListCursor.wrap(cursor, of: "/api/v1/\(list)"))")
                    #expect(answer.status == .unprocessableContent, "\(list) \(cursor)")
                    guard case .array(let errors)? = answer.body["errors"] else {
                        Issue.record("\(list) names no field")
                        continue
                    }
                    #expect(errors.compactMap { $0["field"]?.stringValue } == ["cursor"], "\(list)")
                }
            }
        }
    }

    @Test("a job as of a moment to come is refused, one as of this moment is not")
    func future() async throws {
        try await TrainingService.with { service in
            let refused = try await service.send(
                .post, "/api/v1/training/jobs", #"{"asOf": "2999-01-01T00:00:00Z"}"#)
            #expect(refused.status == .unprocessableContent && "\(refused.body)".contains("\"asOf\""))
            let now = WireJSON.timestamp(.now)
            let accepted = try await service.send(.post, "/api/v1/training/jobs", #"{"asOf": "\#(now)"}"#)
            #expect(accepted.status == .accepted)
            #expect(try await service.fixture.jobs.jobs(tenant: service.tenant, after: nil, limit: 9).count == 1)
        }
    }
}
