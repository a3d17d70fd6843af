import Contracts
import Foundation
import Testing

@testable import MLTraining

@Suite struct ShadowStandingTests {
    private let start = Date(timeIntervalSince1970: 1_700_000_000)

    private func standing(
        outcomes: Int?, difference: Double = -0.5, isWorse: Bool = false, isFavoured: Bool = true
    ) -> ShadowStanding {
        ShadowStanding(
            version: 5, startedAt: start, leastDays: 14, leastOutcomes: 50, isFavoured: isFavoured,
            figures: outcomes.map {
                ShadowFigures(
                    answers: 80, outcomes: $0,
                    comparison: $0 == 0
                        ? nil
                        : ShadowComparison(
                            meanAbsoluteError: 2.5 + difference, incumbentMeanAbsoluteError: 2.5,
                            meanDifference: difference, low: difference - 0.25, high: difference + 0.25,
                            isWorse: isWorse))
            })
    }

    private enum Kind { case wait, deploy, refuse }

    private func verdict(_ standing: ShadowStanding, day: Int) -> Kind {
        switch standing.verdict(at: start.addingTimeInterval(Double(day) * 86_400)) {
        case .wait: .wait
        case .deploy: .deploy
        case .refuse: .refuse
        }
    }

    @Test("nothing is decided before the days have passed and the outcomes are known, however good they look")
    func early() {
        #expect(verdict(standing(outcomes: 500, difference: -2), day: 13) == .wait)
        #expect(verdict(standing(outcomes: 49, difference: -2), day: 14) == .wait)
        #expect(verdict(standing(outcomes: nil), day: 14) == .wait)
    }

    @Test("with enough of both, what came true decides, whatever was said at training")
    func enough() {
        for isFavoured in [true, false] {
            #expect(verdict(standing(outcomes: 50, isFavoured: isFavoured), day: 14) == .deploy)
            #expect(verdict(standing(outcomes: 50, difference: 0.1, isFavoured: isFavoured), day: 14) == .refuse)
            // Better in hours and worse in its chances.
            #expect(verdict(standing(outcomes: 50, isWorse: true, isFavoured: isFavoured), day: 14) == .refuse)
        }
    }

    @Test(
        "a tenant with few outcomes does not wait for ever: the comparison at training decides unless they speak against it"
    )
    func few() {
        #expect(verdict(standing(outcomes: 12), day: 55) == .wait)
        #expect(verdict(standing(outcomes: 12), day: 56) == .deploy)
        #expect(verdict(standing(outcomes: 0), day: 56) == .deploy)
        #expect(verdict(standing(outcomes: nil), day: 56) == .deploy)
        #expect(verdict(standing(outcomes: 12, difference: 0.1), day: 56) == .refuse)
    }

    @Test("without a comparison at training and with few outcomes the deployed model stays")
    func unknown() {
        #expect(verdict(standing(outcomes: 12, isFavoured: false), day: 56) == .refuse)
        #expect(verdict(standing(outcomes: nil, isFavoured: false), day: 56) == .refuse)
    }

    @Test("the decision names both errors, their difference and how many tasks it rests on")
    func words() {
        #expect(
            standing(outcomes: 60).verdict(at: start.addingTimeInterval(15 * 86_400))
                == .deploy(
                    "Version 5 was deployed: it proved itself beside the deployed model, on 60 tasks that both had answered before (mean error 2.0 hours against 2.5, a difference of -0.5, 95 % interval -0.75 to -0.25)."
                ))
    }
}
