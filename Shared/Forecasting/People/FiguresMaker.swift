/// Makes what people's own groups say for one question, or finds it kept.
struct FiguresMaker {
    let groups: PeopleGroups
    let context: PooledHistory
    let reader: HistoryReader
    let moment: Double
    /// Of whom figures are made, in their order, and not kept; nil for everybody by number, and nobody behind them.
    let asked: [HistoryPerson]?
    let kept: KeptFigures

    /// By own group, then by label.
    /// - Parameter labels: the keys of the schema's labels.
    func figures(labels: [Int32]) -> [PeopleFigures] {
        let person = figures(.person, .person, medianPrior: { _ in context.medianAll })
        let skill = figures(
            .skill, .personSkillSet, groups.skillSet, person: person,
            medianPrior: { context.priorOfKind(person.groups.base[person.place($0)].median) })
        let project = figures(.project, .personProject, groups.project, person: person)
        let projectSkill = figures(
            .projectSkill, .personProjectSkillSet, groups.skillSet, groups.project, person: person, skill: skill,
            project: project)
        // Without a plan there is no such feature, and anything may stand there.
        let planSize =
            context.withPlan ? figures(.planSize, .personPlanSize, groups.planSize, person: person) : person
        return [person, skill, project, projectSkill, planSize]
            + labels.map { key in
                let place = groups.shared.labels.firstIndex { $0.key == key }
                return ofLabel(at: place, person)
            }
    }

    private func figures(
        _ group: OwnGroup, _ kind: GroupIndex.Kind, _ first: Int32 = -1, _ second: Int32 = -1,
        person: PeopleFigures? = nil, skill: PeopleFigures? = nil, project: PeopleFigures? = nil,
        medianPrior: ((_ place: Int) -> Double)? = nil
    ) -> PeopleFigures {
        let all = context.all.figures
        func pooled(_ figures: PeopleFigures?, _ place: Int) -> PooledFigures {
            figures.map { $0.pooled.base[$0.place(place)] } ?? all
        }
        return made(
            kind, first, second, crossing: group == .projectSkill ? groups.projectSkillSet : first, group.depth,
            prior: { place in
                context.prior(
                    of: group, person: pooled(person, place), skill: pooled(skill, place),
                    project: pooled(project, place))
            }, medianPrior: medianPrior)
    }

    private func ofLabel(at place: Int?, _ person: PeopleFigures) -> PeopleFigures {
        let value = place.map { groups.labels[$0] } ?? -1
        let label = context.pooledLabel(at: place)
        return made(
            .personLabel, value, -1, crossing: value, PooledHistory.ownLabelDepth,
            prior: { context.crossed(person.pooled.base[person.place($0)], label) })
    }

    private func made(
        _ kind: GroupIndex.Kind, _ first: Int32, _ second: Int32, crossing other: Int32, _ depth: Int,
        prior: (_ place: Int) -> PooledFigures, medianPrior: ((_ place: Int) -> Double)? = nil
    ) -> PeopleFigures {
        func make() -> PeopleFigures {
            var cursors = HistoryCursors(reader, sweeping: false)
            cursors.advance(to: moment)
            let all = groups.crossings.groups(kind, with: other)
            let own =
                asked?.map { $0.number >= 0 && Int($0.number) < all.count ? all[Int($0.number)] : -1 } ?? all + [-1]
            return PeopleFigures(own, depth: depth, context, &cursors, prior: prior, medianPrior: medianPrior)
        }
        guard asked == nil else { return make() }
        let key = KeptFigures.Key(withPlan: context.withPlan, kind: kind, crossedWith: first, and: second)
        return kept.figures(key, otherwise: make)
    }
}
