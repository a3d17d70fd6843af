import Contracts
import Forecasting
import Foundation
import HistoryFeed
import TestSupport
import Testing

@testable import MLTraining

@Suite struct AutomaticDeploymentTests {
    private let incumbent = ModelID()

    private func deploys(
        _ standing: AutomaticDeployment.Standing, passedGates: Bool = true, deployed: ModelID?? = .none,
        hasShadow: Bool = false
    ) -> Bool {
        let compared: ModelID? = standing == .first ? nil : incumbent
        let automatic = AutomaticDeployment(incumbent: compared, standing: standing)
        let verdict = automatic.verdict(
            version: 5, passedGates: passedGates, deployed: deployed ?? compared, hasShadow: hasShadow)
        if case .deploy = verdict { return true } else { return false }
    }

    private func comparison(isWorse: Bool, difference: Double = -0.5) -> AutomaticDeployment.Standing {
        .compared(
            IncumbentComparison(
                rows: 60, meanAbsoluteError: 2.5 + difference, incumbentMeanAbsoluteError: 2.5,
                difference: PairedComparison(
                    meanDifference: difference, low: difference - 0.25, high: difference + 0.25),
                isWorse: isWorse))
    }

    @Test("a model that has not passed its gates is never deployed automatically")
    func gates() {
        #expect(!deploys(.first, passedGates: false))
        #expect(!deploys(comparison(isWorse: false), passedGates: false))
    }

    @Test("a model that is worse than the deployed one on the same tasks is left, with both figures in the reason")
    func worse() {
        #expect(deploys(comparison(isWorse: false)))
        #expect(!deploys(comparison(isWorse: true)))
        let verdict = AutomaticDeployment(incumbent: incumbent, standing: comparison(isWorse: true, difference: 0.5))
            .verdict(version: 5, passedGates: true, deployed: incumbent, hasShadow: true)
        #expect(
            verdict
                == .leave(
                    "Version 5 was not deployed: it is worse than the deployed model (mean error 3.0 hours against 2.5 of the model before, on 60 tasks new to both, a difference of 0.5 (95 % interval 0.25 to 0.75))."
                ))
    }

    @Test("the first model, and one in place of a model that cannot answer any more, are deployed on their gates")
    func uncompared() {
        #expect(deploys(.first))
        #expect(deploys(.unable))
    }

    @Test("without evidence nothing is deployed: neither on too few common rows nor on an error that is no smaller")
    func evidence() {
        #expect(!deploys(.unknown(rows: 39)))
        let verdict = AutomaticDeployment(incumbent: incumbent, standing: .unknown(rows: 39))
            .verdict(version: 5, passedGates: true, deployed: incumbent, hasShadow: false)
        #expect(
            verdict
                == .leave(
                    "Version 5 was not deployed: only 39 finished tasks are new to both models; a comparison with the deployed model takes 50."
                ))
        // Not worse beyond noise is not better.
        #expect(!deploys(comparison(isWorse: false, difference: 0.125)))
        #expect(deploys(comparison(isWorse: false, difference: 0)))
    }

    @Test("a model deployed by hand while the job was training is not replaced")
    func overtaken() {
        #expect(!deploys(.first, deployed: .some(ModelID())))
        #expect(!deploys(comparison(isWorse: false), deployed: .some(ModelID())))
        #expect(!deploys(comparison(isWorse: false), deployed: .some(nil)))
    }

    @Test("a model is compared on the tasks that the deployed one cannot have learned from, and only on enough of them")
    func sameSlice() throws {
        let history = SyntheticHistory(allocations: 600)
        func outcome(until end: Date) throws -> (TrainingOutcome, History) {
            var source = DatasetSource(months: 240, asOf: end)
            for line in history.lines { if let change = line.change { try source.add(change) } }
            let known = try DatasetContent(source).history()
            let configuration = TrainingConfiguration(
                months: 240, epochs: 10, seed: 7, asOf: end.timeIntervalSince1970)
            return (try TrainingRun(history: known, configuration: configuration).run(), known)
        }
        // A quarter of a day apart, the last of 600 is decided on day 150 and finished on day 155.
        let (newest, known) = try outcome(until: history.end)
        let (older, _) = try outcome(until: SyntheticHistory.start.addingTimeInterval(133 * 86_400))
        let comparison = try #require(newest.comparison(with: older.model, history: known))
        // Those of the latest slice that were decided from day 133 on are new to both.
        #expect((50...70).contains(comparison.rows) && comparison.meanAbsoluteError > 0)
        #expect(comparison.difference.low <= comparison.difference.meanDifference)
        let (recent, _) = try outcome(until: SyntheticHistory.start.addingTimeInterval(142 * 86_400))
        #expect(newest.comparison(with: recent.model, history: known) == nil)
        #expect((20...40).contains(newest.rowsNewToBoth(since: recent.model)))
    }

    @Test(
        "a scheduled model is deployed in the transaction that registers it, as by the schedule; a requested one is not"
    )
    func registered() async throws {
        try await TrainingDatabase.with { fixture in
            let tenant = TenantID()
            func setting(_ automatic: Bool) -> ScheduleSetting {
                ScheduleSetting(
                    TrainingScheduleRequest(everyDays: 1, deployAutomatically: automatic, shadowDays: 0), by: "ada")
            }
            _ = try await fixture.schedules.put(setting(true), tenant: tenant)
            let first = try await register(.init(incumbent: nil, standing: .first), of: tenant, fixture)
            let record = try #require(try await fixture.registry.deployments(tenant: tenant, limit: 9).first)
            #expect(record.modelId == first && record.reason == "schedule" && !record.forced)
            #expect(record.deployedBy == "schedule:ada" && record.note?.hasPrefix("Version 1 was deployed") == true)

            // Without the schedule's word, and for a job that somebody asked for, nothing is deployed.
            _ = try await fixture.schedules.put(setting(false), tenant: tenant)
            _ = try await register(.init(incumbent: first, standing: comparison(isWorse: false)), of: tenant, fixture)
            _ = try await fixture.schedules.put(setting(true), tenant: tenant)
            _ = try await register(nil, of: tenant, fixture)
            #expect(try await fixture.registry.deployed(tenant: tenant)?.modelId == first)

            _ = try await register(.init(incumbent: first, standing: .unknown(rows: 49)), of: tenant, fixture)
            #expect(try await fixture.registry.deployed(tenant: tenant)?.modelId == first)
            let second = try await register(
                .init(incumbent: first, standing: comparison(isWorse: false)), of: tenant, fixture)
            #expect(try await fixture.registry.deployed(tenant: tenant)?.modelId == second)
            // A deployment by the schedule is rolled back like any other.
            #expect(try await fixture.registry.rollback(tenant: tenant, by: "u").model.id == first)
        }
    }

    private func register(
        _ automatic: AutomaticDeployment?, of tenant: TenantID, _ fixture: TrainingDatabase
    ) async throws -> ModelID {
        try await fixture.enqueue(tenant)
        let ticket = try #require(try await fixture.queue.claim(worker: "test", lease: fixture.lease))
        let dataset = try Dataset(name: "test", source: DatasetSource(months: 6, asOf: Date()))
        try await fixture.datasets.store(dataset, for: ticket)
        var model = TrainingDatabase.newModel(dataset: dataset.id, passedGates: true)
        model.automaticDeployment = automatic
        try await fixture.registry.register(model, for: ticket)
        return model.id
    }
}
