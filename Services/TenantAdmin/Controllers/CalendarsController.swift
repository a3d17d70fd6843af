import Contracts
import ServiceKit

/// The calendars that contracts name.
struct CalendarsController: ResourceController {
    static let resource = Resource.calendars
    let store: Calendars
}
