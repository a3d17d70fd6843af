import Contracts
import Foundation
import Testing

/// The real executables, through the one public URL. One platform at a time: the machine that runs this is small.
@Suite(.serialized, .timeLimit(.minutes(15))) struct SystemTests {}

extension SystemTests.OnOnePlatform {
    @Suite struct MainJob {
        @Test("from a new tenant to a prediction with alternatives, through the gateway")
        func mainJob() async throws {
            try await Platform.withShared { platform in
                let client = try await platform.tenant("mainjob")
                let me = try await client.get("/auth/me")
                #expect(me.status == 200 && me.data["email"]?.stringValue == "admin@mainjob.example")

                try await SmallHistory().load(client)
                #expect(try await client.get("/employees").data.items.count == 8)
                #expect(try await client.get("/projects").data.items.count == 3)
                #expect(try await client.get("/allocations?limit=500").data.items.count == 160)

                let job = try await client.trained(asOf: SmallHistory().asOf, epochs: 20)
                #expect(job["progress"]?.items.compactMap { $0["epoch"]?.doubleValue } == (1...20).map(Double.init))
                let model = try #require(job["modelId"]?.stringValue)

                // Before a model is deployed the baseline answers, and says so.
                let employee = try #require(
                    try await client.get("/employees?externalId=E1").data.items.first?["id"]?.stringValue)
                let project = try #require(
                    try await client.get("/projects?externalId=J1").data.items.first?["id"]?.stringValue)
                let question =
                    #"{"employeeId": "\#(employee)", "projectId": "\#(project)", "plannedHours": 10, "requiredSkills": ["SQL"], "asOf": "\#(SmallHistory().asOf)"}"#
                let early = try await client.post("/predictions", question)
                #expect(early.data["model"]?["kind"]?.stringValue == "baseline", "\(early)")

                let deployed = try await client.post("/models/\(model)/deploy", #"{"force": true}"#)
                #expect(deployed.status == 200 && deployed.data["status"]?.stringValue == "deployed", "\(deployed)")
                #expect(try await client.get("/models").data.items.count == 1)

                let answer = try await client.post("/predictions", question)
                try #require(answer.status == 200 || answer.status == 201, "\(answer)")
                // E1 takes 0.8 of the plan, steadily.
                let hours = try #require(answer.data["estimatedHours"]?.doubleValue)
                #expect((6.5...10).contains(hours))
                #expect(answer.data["model"]?["id"]?.stringValue == model)
                let allocation = try #require(answer.data["recommendedAllocation"]?.doubleValue)
                #expect((0...100).contains(allocation))
                let others = answer.data["alternativeOptions"]?.items ?? []
                #expect(!others.isEmpty && others.allSatisfy { $0["employeeId"]?.stringValue != employee })
            }
        }

        @Test("validation figures of every candidate stand beside the plan's own")
        func candidates() async throws {
            try await Platform.withShared { platform in
                let client = try await platform.tenant("candidates")
                try await SmallHistory().load(client)
                let job = try await client.trained(asOf: SmallHistory().asOf, epochs: 10)
                let model = try await client.get("/models/\(try #require(job["modelId"]?.stringValue))")
                let card = try #require(model.data["card"]?.stringValue)
                #expect(!card.isEmpty)
                let names = String(describing: try #require(model.data["metrics"]))
                for candidate in ["planned_hours", "base_network"] {
                    #expect(names.contains(candidate), "\(candidate)")
                }
            }
        }

        @Test("too little history fails the job in a planner's words")
        func tooLittle() async throws {
            try await Platform.withShared { platform in
                let client = try await platform.tenant("tiny")
                try await SmallHistory(people: 2, projects: 1, allocationsPerPerson: 3).load(client)
                let started = try await client.post("/training/jobs", #"{"months": 240}"#)
                try #require(started.status == 202, "\(started)")
                let job = try await client.ended(try #require(started.data["jobId"]?.stringValue))
                #expect(job["status"]?.stringValue == "failed")
                #expect(job["error"]?.stringValue?.contains("30") == true, "\(job)")
            }
        }
    }
}

extension Client {
    /// Trains and gives back the job that succeeded, with all its epochs.
    func trained(asOf: String, epochs: Int) async throws -> JSONValue {
        let started = try await post(
            "/training/jobs", #"{"months": 240, "epochs": \#(epochs), "seed": 7, "asOf": "\#(asOf)"}"#)
        try #require(started.status == 202, "\(started)")
        let job = try await ended(try #require(started.data["jobId"]?.stringValue))
        try #require(job["status"]?.stringValue == "succeeded", "\(job)")
        return job
    }

    /// The job once it has ended.
    func ended(_ id: String) async throws -> JSONValue {
        let end = ContinuousClock.now + Platform.patience
        while .now < end {
            // While services are being killed an answer may be missing; the job's own state is what counts.
            if let answer = try? await get("/training/jobs/\(id)?progress=1000"), answer.status == 200,
                let status = answer.data["status"]?.stringValue, TrainingJobStatus(rawValue: status)?.isFinal == true
            {
                return answer.data
            }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw RunningService.Failure(description: "job \(id) has not ended after \(Platform.patience)")
    }
}
