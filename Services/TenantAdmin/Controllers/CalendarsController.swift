import Contracts
import ServiceKit

/// The calendars that contracts name.
struct CalendarsController: ResourceController {
    static let resource = Resource.calendars
    let store: Calendars
}

extension Calendars.Filter: RouteQuery {
    init(_ query: inout QueryParameters) {
        self.init(name: query.string("name"), updatedSince: query.date("updatedSince"))
    }
}
