"""The vocabulary of the simulated news: categories, subcategories, their nouns, and patterns of sentences.

Category names and shares follow MIND (`mind_figures.toml`); every other word is the course's own. A pattern's
slots are {person}, {org}, {rival} and {place} (made-up entities), {noun} and {other} (two nouns of the
subcategory), {adjective}, {number} and {small} (numbers), {score}, {day} and {quote}.
"""

from typing import NamedTuple


class Category(NamedTuple):
    """share: of all articles. org: how its organisations are named (`entities.py`). subcategories: nouns."""

    share: float
    org: str
    headlines: tuple[str, ...]
    tails: tuple[str, ...]
    subcategories: dict[str, tuple[str, ...]]


def words(text: str) -> tuple[str, ...]:
    """The words of a text between blanks."""
    return tuple(text.split())


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.strip().splitlines())


def _nouns(**subcategories: str) -> dict[str, tuple[str, ...]]:
    return {
        name.replace("__", "-"): tuple(" ".join(noun.split()) for noun in text.split(","))
        for name, text in subcategories.items()
    }


ADJECTIVES = words("""
    new early late rare quiet bold surprising costly simple long small major local record final sudden
    strange famous popular unexpected careful modest fresh shared hidden historic delayed planned
""")
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
QUOTES = (
    "We didn't see it coming",
    "It's not over yet",
    "I'd do it again",
    "Nobody told us",
    "This is only the start",
    "It felt like home",
    "We can't wait any longer",
    "That's how we do it here",
    "I couldn't believe my eyes",
    "There's still work to do",
    "It was worth it",
    "We're ready for more",
)

CATEGORIES: dict[str, Category] = {
    "news": Category(
        0.307,
        "council",
        _lines("""
            {place} votes on {noun} after months of debate
            {person} calls for {adjective} rules on {noun}
            What we know about the {adjective} {noun} in {place}
            {org} opens inquiry into {noun}
            {number} people in {place} affected by {noun}
            "{quote}": {place} residents speak about {noun}
            {person} questions {org} over {noun}
            {adjective} {noun} brings {other} back to the agenda
            Why {noun} matters more than {other} this year
            {org} and {rival} disagree over {noun}
            Officials in {place} report {adjective} {noun}
            {person}'s plan for {noun} draws praise and doubt
            Live updates: {noun} in {place}
        """),
        _lines("""
            as {other} looms
            , officials say
            after {adjective} {other}
            ahead of {day}'s meeting
            , report finds
            in first such case since {other}
            , says {person}
        """),
        _nouns(
            newsus="""
                school funding, bridge repair, power outage, water supply, highway closure, census
                count, flood relief, veterans' housing, train derailment, city budget, library
                hours, fire season
            """,
            newspolitics="""
                election law, tax bill, committee hearing, budget vote, campaign finance, town hall,
                primary debate, ballot count, senate seat, trade treaty, cabinet post, opinion poll
            """,
            newscrime="""
                bicycle theft, forged tickets, bank fraud, court appeal, jury trial, missing
                painting, police appeal, insurance scam, stolen van, break-in, witness statement,
                guilty plea
            """,
            newsworld="""
                border talks, peace accord, embassy, foreign minister, currency reform, aid convoy,
                summit, refugee camp, coalition government, sea lane, trade embargo, general strike
            """,
            newsscienceandtechnology="""
                telescope image, rocket launch, fossil find, battery research, vaccine trial, coral
                reef, robot arm, chip factory, deep-sea survey, asteroid sample, data leak, software
                update
            """,
            newsgoodnews="""
                rescued hiker, lost ring, neighbourhood garden, kind stranger, surprise reunion,
                food drive, scholarship fund, volunteer crew, returned wallet, tree planting,
                birthday parade, school play
            """,
            newslocal="""
                bus route, zoning plan, farmers' market, town square, parking fees, street repairs,
                river walk, council seat, playground, recycling rules, snow removal, night shelter
            """,
        ),
    ),
    "sports": Category(
        0.297,
        "team",
        _lines("""
            {org} beat {rival} {score} on {noun}
            {person} leads {org} past {rival} with {adjective} {noun}
            {org} fall to {rival} despite {noun}
            {person} out {small} weeks with {noun} trouble
            {small} takeaways from the {org}' {noun}
            {org} sign {person} to {adjective} {noun}
            "{quote}": {person} on the {noun} against {rival}
            Power rankings: {org} climb after {noun}
            Can {person} save the {org}' {noun}?
            {rival} hold off {org} in {adjective} {noun}
            {org} trade {person} for {noun} help
            {person} sets {noun} record for {org}
            Grading the {org}' {noun} and {other}
            Previewing {org} vs. {rival}: {noun} to watch
        """),
        _lines("""
            after {adjective} {other}
            in {place}
            , coach says
            as {other} nears
            before {day}'s game
            with {other} on the line
        """),
        _nouns(
            football_pro="""
                passing game, fourth-down call, offensive line, quarterback, field goal, pass rush,
                touchdown drive, injury report, running back, red zone, special teams, bye week
            """,
            football_college="""
                bowl game, recruiting class, rivalry week, freshman quarterback, campus stadium,
                conference title, marching band, two-point try, signing day, goal-line stand,
                walk-on, poll ranking
            """,
            baseball="""
                bullpen, home run, free agent, starting pitcher, ninth inning, shortstop, double
                play, spring camp, batting order, no-hitter, outfield, stolen base
            """,
            basketball="""
                three-point shooting, rebound, buzzer-beater, point guard, bench unit,
                triple-double, salary cap, fast break, free throws, overtime, dunk, draft pick
            """,
            icehockey="""
                power play, hat trick, goalie, shutout, face-off, penalty kill, blue line, empty
                net, shootout, road trip, slap shot, rookie winger
            """,
            golf="""
                birdie putt, final round, fairway, caddie, playoff hole, leaderboard, bunker shot,
                tee time, hole-in-one, team cup, green jacket, putting stroke
            """,
            soccer="""
                penalty kick, stoppage time, transfer window, clean sheet, striker, cup tie,
                midfield, own goal, header, relegation fight, league table, free kick
            """,
            tennis="""
                tiebreak, grass court, serve, doubles final, match point, backhand, wild card, top
                seed, clay season, straight sets, baseline rally, retirement
            """,
        ),
    ),
    "finance": Category(
        0.058,
        "company",
        _lines("""
            {org} shares rise on {adjective} {noun}
            {org} to cut {number} posts as {noun} slows
            How to plan for {noun} in {small} steps
            {small} mistakes people make with {noun}
            {org} buys {rival} in {noun} deal
            {person} warns of {adjective} {noun}
            What {noun} means for your {other}
            {place} sees {adjective} {noun}
            Is it time to rethink {noun}?
            {org} reports {adjective} {noun}
        """),
        _lines("""
            , analysts say
            as {other} weighs
            after {adjective} {other}
            this quarter
            , survey finds
        """),
        _nouns(
            markets="""
                stock index, bond yields, interest rates, oil price, currency swing, earnings
                season, dividend, rate cut, sell-off, rally, commodity prices, trading volume
            """,
            personalfinance="""
                retirement savings, credit card, student loan, emergency fund, tax refund, pension,
                household budget, car loan, savings account, insurance premium, inheritance,
                allowance
            """,
            finance__companies="""
                merger, factory order, quarterly profit, product recall, supply chain, new chief,
                store closure, delivery fleet, patent case, warehouse, share buyback, price war
            """,
            finance__realestate="""
                mortgage rate, home price, rental market, open house, office tower, first home,
                property tax, renovation loan, waterfront lot, housing supply, lease, home
                inspection
            """,
            finance__career="""
                job interview, remote work, pay rise, hiring wave, résumé, four-day week, night
                shift, side job, apprenticeship, minimum wage, office return, career change
            """,
        ),
    ),
    "foodanddrink": Category(
        0.048,
        "restaurant",
        _lines("""
            {small} {noun} recipes for a {adjective} evening
            The secret to {adjective} {noun}
            {org} in {place} brings back its {noun}
            {person} shares a {adjective} {noun}
            Why your {noun} never turns out right
            We tried {number} kinds of {noun} and {other}
            How to make {noun} with what's in the pantry
            {place}'s {adjective} {noun} is worth the wait
            {org} adds {noun} to its menu
            The best {noun} to serve with {other}
        """),
        _lines("""
            for the holidays
            , according to {person}
            in {small} minutes
            without the fuss
            this weekend
        """),
        _nouns(
            recipes="""
                pumpkin soup, apple pie, roast chicken, lentil stew, mushroom risotto, sourdough,
                lasagna, gingerbread, potato gratin, fish tacos, onion tart, beef chili
            """,
            quickandeasy="""
                sheet-pan supper, pancakes, fried rice, omelette, pasta salad, stir-fry, tuna melt,
                noodle bowl, quesadilla, smoothie, flatbread, avocado toast
            """,
            restaurantsandnews="""
                tasting menu, food truck, brunch spot, burger, sushi counter, pizza oven, pop-up
                kitchen, diner, drive-through, chef's table, bakery, steakhouse
            """,
            beverages="""
                cold brew, red wine, herbal tea, cider, hot chocolate, craft beer, lemonade,
                sparkling water, espresso, eggnog, kombucha, cocktail
            """,
            tipsandtricks="""
                knife skills, freezer storage, cast-iron pan, leftovers, spice rack, meal prep, pie
                crust, grocery list, pressure cooker, egg carton, salad dressing, cutting board
            """,
        ),
    ),
    "travel": Category(
        0.046,
        "airline",
        _lines("""
            {small} {adjective} {noun} ideas near {place}
            {org} changes its {noun} policy
            Inside {place}'s {adjective} {noun}
            What to know before your {noun} in {place}
            {person} spent {number} days on a {noun}
            The most {adjective} {noun} for families
            {org} adds flights to {place} for {noun} season
            Why travellers love the {noun} in {place}
            How to save on {noun} and {other}
            {place} limits visitors to its {noun}
        """),
        _lines("""
            this winter
            , travellers say
            on a budget
            before the crowds arrive
            after {adjective} {other}
        """),
        _nouns(
            traveltips="""
                carry-on bag, passport line, travel insurance, hotel upgrade, jet lag, airport
                lounge, packing list, window seat, loyalty points, rental car, visa form, layover
            """,
            travelnews="""
                delayed flight, cruise ship, airport strike, train strike, new terminal, grounded
                jet, night train, ferry service, fuel surcharge, boarding rule, runway repair, cabin
                crew
            """,
            voyageideas="""
                island beach, mountain cabin, old town, desert trail, vineyard, hot springs, fishing
                village, castle ruins, canal boat, rain forest, coastal road, lighthouse
            """,
            traveltripideas="""
                road trip, weekend break, ski resort, camping site, theme park, national park, city
                walk, family holiday, food tour, bike path, safari, honeymoon
            """,
        ),
    ),
    "lifestyle": Category(
        0.046,
        "brand",
        _lines("""
            {small} {noun} ideas that change a room
            {person} shows off {adjective} {noun}
            How {noun} became this season's {adjective} trend
            What your {noun} says about you
            {org} releases {adjective} {noun}
            The {noun} rule every family should know
            I tried {noun} for {number} days
            Why experts love {noun} over {other}
            {place} family's {adjective} {noun} goes viral
            "{quote}": a reader on {noun}
        """),
        _lines("""
            for under ${number}
            , experts say
            this season
            and why it works
            without {other}
        """),
        _nouns(
            lifestylehomeandgarden="""
                kitchen island, houseplant, tiny house, bathroom tile, front porch, paint colour,
                garden shed, bookshelf, laundry room, wallpaper, storage bench, rose bed
            """,
            lifestylefashion="""
                winter coat, sneakers, wool scarf, evening dress, denim jacket, handbag, leather
                boots, hair colour, wedding gown, knitted sweater, silk shirt, sunglasses
            """,
            lifestylefamily="""
                bedtime routine, toddler, school lunch, baby name, grandparents, screen time,
                homework, family dinner, teenager, summer camp, sibling rivalry, chores
            """,
            lifestylepets="""
                rescue dog, kitten, parrot, dog park, guinea pig, animal shelter, puppy training,
                cat bed, vet visit, aquarium, senior dog, pet sitter
            """,
            lifestylerelationships="""
                first date, wedding toast, anniversary, long-distance love, wedding guest, marriage
                advice, best friend, proposal, dating app, breakup, love letter, reunion
            """,
        ),
    ),
    "health": Category(
        0.034,
        "clinic",
        _lines("""
            {small} signs of {noun} you shouldn't ignore
            {org} study links {noun} with {other}
            What doctors say about {adjective} {noun}
            How {person} beat {noun}
            Can {noun} really help with {other}?
            The {adjective} truth about {noun}
            {number} people joined a {noun} trial in {place}
            {person} on living with {noun}
            Why {noun} gets worse in winter
            {org} warns about {adjective} {noun}
        """),
        _lines("""
            , study finds
            after {number} days
            , according to {person}
            at any age
            and what helps
        """),
        _nouns(
            medical="""
                flu shot, knee surgery, blood pressure, migraine, hospital stay, allergy, asthma,
                hearing loss, heart rhythm, back pain, skin rash, antibiotics
            """,
            wellness="""
                sleep routine, meditation, burnout, deep breathing, screen break, morning walk,
                stress, gratitude journal, cold shower, massage, posture, winter blues
            """,
            nutrition="""
                fibre, vitamin, breakfast cereal, leafy greens, added sugar, protein, salt intake,
                yoghurt, gut health, olive oil, food label, fasting
            """,
            weightloss="""
                calorie count, portion size, walking plan, low-carb diet, meal plan, plateau, step
                goal, belly fat, late-night snack, weigh-in, food diary, intermittent fasting
            """,
            fitness="""
                plank, marathon training, yoga class, dumbbell, stretching, push-up, rowing machine,
                squat, interval run, swimming, resistance band, home gym
            """,
        ),
    ),
    "autos": Category(
        0.032,
        "carmaker",
        _lines("""
            {org} shows {adjective} {noun}
            First drive: {org}'s {adjective} {noun}
            {org} recalls {number} cars over {noun}
            {small} reasons to love the {noun}
            This {adjective} {noun} sold for ${number},000 in {place}
            {person} restored a {noun} from {other}
            {org} vs. {rival}: which {noun} wins?
            What to check before you buy a {noun}
            {org} delays its {noun}
            The {noun} that {place} forgot
        """),
        _lines("""
            for next year
            with {adjective} {other}
            at auction
            , and it's fast
            after {number} miles
        """),
        _nouns(
            autosnews="""
                brake fault, assembly plant, airbag, spy photo, dealer lot, fuel rule, pickup plant,
                recall notice, driverless shuttle, road test, import duty, model year
            """,
            autosclassics="""
                muscle car, barn find, roadster, vintage truck, chrome bumper, convertible, station
                wagon, hot rod, coupe, original paint, rally car, woodie wagon
            """,
            autosreview="""
                compact sedan, family van, sport utility, hatchback, off-road truck, gearbox,
                infotainment screen, back seat, cargo space, steering feel, crossover, diesel engine
            """,
            autoselectric="""
                charging station, battery range, electric pickup, plug-in hybrid, fast charger,
                solid- state cell, electric van, home charger, charging cable, tax credit, electric
                truck, one- pedal driving
            """,
        ),
    ),
    "weather": Category(
        0.040,
        "weather office",
        _lines("""
            {adjective} {noun} heads for {place}
            {place} braces for {noun} and {other}
            {noun} to reach {place} by {day}
            {place} weather: {noun}, then {other}
            Up to {small} inches as {noun} hits {place}
            {noun} leaves {number} homes near {place} without power
            Forecasters expect {adjective} {noun} on {day}
            How long will the {noun} last in {place}?
            {place} schools close early for {noun}
        """),
        _lines("""
            , forecasters say
            through {day}
            before {other}
            , the first this season
            overnight
        """),
        _nouns(
            weathertopstories="""
                cold front, lake-effect snow, freezing rain, wind chill, dense fog, arctic air,
                flurries, black ice, warm spell, frost warning, gusty winds, steady drizzle
            """,
            weatherstorms="""
                thunderstorm, flash flood, blizzard, hail, tropical storm, high surf, dust storm,
                tornado watch, heavy rain, ice storm, storm surge, lightning
            """,
        ),
    ),
    "video": Category(
        0.042,
        "park",
        _lines("""
            Watch: {noun} surprises {other} in {place}
            {adjective} {noun} caught on camera in {place}
            See the {noun} everyone is talking about
            {person} meets a {adjective} {noun}
            Video shows {noun} and {other} at play
            This {noun} just can't stop
            {place} {noun} steals the show
            Drone films {adjective} {noun} near {place}
            "{quote}": the moment a {noun} appears
        """),
        _lines("""
            in {small} seconds
            , and it's delightful
            on {day}
            again
            in slow motion
        """),
        _nouns(
            viral="""
                marriage flash mob, magic trick, dance routine, trick shot, lip sync, domino run,
                prank, street artist, time lapse, sand sculpture, juggler, paper plane
            """,
            animals="""
                baby elephant, sea otter, red panda, owl, bear cub, dolphin, penguin, fox, raccoon,
                moose, baby goat, humpback whale
            """,
        ),
    ),
    "tv": Category(
        0.018,
        "show",
        _lines("""
            "{org}" recap: {noun} changes everything
            {person} leaves "{org}" after {small} seasons
            "{org}" renewed despite {adjective} {noun}
            {person} talks about the {noun} on "{org}"
            Every {noun} on "{org}", ranked
            "{org}" fans upset over {adjective} {noun}
            What that {noun} means for "{rival}"
            {person} joins the cast of "{org}" as {noun} returns
        """),
        _lines("""
            , says {person}
            before the finale
            and {other}
            on {day}
            , explained
        """),
        _nouns(
            tvnews="""
                pilot episode, spin-off, talk show, streaming deal, game show, writers' room,
                late-night host, revival, series order, ratings win, news anchor, casting call
            """,
            tvrecaps="""
                season finale, cliffhanger, plot twist, flashback, villain, wedding episode, double
                elimination, crossover episode, final rose, dance-off, secret twin, season premiere
            """,
            tvcelebrity="""
                judge's chair, host's joke, cast reunion, red sofa, live blunder, guest star, on-air
                proposal, stage fall, cooking judge, quiz champion, baby news, farewell speech
            """,
        ),
    ),
    "entertainment": Category(
        0.012,
        "show",
        _lines("""
            {person} and {other} light up {place}
            {person} opens up about {adjective} {noun}
            Inside {person}'s {adjective} {noun}
            {person} wears {adjective} {noun} in {place}
            "{quote}": {person} on {noun}
            {small} things to know about {person}'s {noun}
            {person}'s {noun} steals the evening
            Fans react to {person}'s {adjective} {noun}
        """),
        _lines("""
            , source says
            in {place}
            after {other}
            on {day}
        """),
        _nouns(
            celebrity="""
                engagement party, beach holiday, new haircut, charity gala, memoir, twin babies,
                holiday card, country house, birthday post, fan letter, fashion show, quiet wedding
            """,
            entertainmentgaming="""
                video game trailer, speed run, console launch, arcade hall, puzzle game, game
                expansion, racing game, esports final, open world, game controller, pixel art, beta
                test
            """,
            awards="""
                acceptance speech, nominee list, red carpet, lifetime award, surprise win, ceremony
                host, best picture, after-party, golden statue, standing ovation, ballot mix-up,
                snub
            """,
        ),
    ),
    "movies": Category(
        0.010,
        "film",
        _lines("""
            "{org}" review: {adjective} {noun}, little {other}
            {person} to direct {adjective} {noun} "{org}"
            "{org}" tops the box office with its {noun}
            First look at {person} in "{org}"
            Why the {noun} in "{org}" works
            {small} films like "{org}" with {adjective} {noun}
            "{org}" and "{rival}" battle over {noun}
            {person} on the {noun} in "{org}"
        """),
        _lines("""
            , critics say
            this weekend
            after {adjective} {other}
            in {place}
        """),
        _nouns(
            movienews="""
                sequel, opening weekend, remake, test screening, superhero role, film festival,
                stunt double, script, movie trailer, reshoot, studio deal, film score
            """,
            moviereviews="""
                car chase, slow-burn drama, animated feature, courtroom scene, love story, heist
                plot, final act, period costume, space battle, ghost story, war epic, one-liner
            """,
        ),
    ),
    "music": Category(
        0.010,
        "band",
        _lines("""
            {org} announce {adjective} {noun}
            {person} brings {noun} to {place}
            {org} and {rival} share a {noun}
            {person}'s {adjective} {noun} tops the chart
            "{quote}": {org} on their {noun}
            {small} songs that made {org}'s {noun}
            {org} cancel {place} {noun}
            Listen: {person}'s {adjective} {noun}
        """),
        _lines("""
            after {number} shows
            in {place}
            , fans say
            with {other}
        """),
        _nouns(
            musicnews="""
                debut album, number-one single, record deal, farewell tour, duet, lost demo, chart
                record, song lyrics, vinyl reissue, music video, cover version, drum solo
            """,
            musicconcerts="""
                stadium show, country festival, encore, acoustic set, opening act, jazz club, choir,
                ticket queue, halftime show, guitar riff, orchestra, open-air stage
            """,
        ),
    ),
}

# Sentences of an abstract; the subject comes first so that an abstract reads on from its title.
SENTENCES = _lines("""
    The {noun} has been the talk of {place} since {day}, and {other} is now part of the story.
    {person} said the {adjective} {noun} came after months of work on {other}.
    {org} did not say how the {noun} would change, but {small} people close to it expect news by {day}.
    Here is what readers should know about {noun}, from {other} to the {adjective} details.
    It is the {adjective} chapter in a story about {noun} that began {number} days ago.
    "{quote}," said {person}, who has followed the {noun} for {small} years.
    Those who know {noun} well say that {other} counts for more than most think.
    A look at the {noun}, the {other} and the people behind them.
    More than {number} readers wrote to us about {noun}, and many of them mentioned {other}.
    The {adjective} {noun} comes as many prepare for {other}.
    {org} and {rival} have both been linked with {noun} before.
    With {other} ahead, the question is whether the {noun} can last.
""")
