package review

import "strings"

// earWord returns the word that stands for a byte when digests are compared by
// ear. The list is part of what people have read to each other: never change it.
func earWord(b byte) string { return strings.Fields(earWords)[b] }

const earWords = `
acid actor album amber angel ankle apple april arena armor arrow atlas attic autumn bacon badge
bamboo banana banjo barrel basket beach beaver bell bench bicycle birch blanket bonus border bottle bread
breeze brick bridge bronze brush bucket bullet butter button cabin cable cactus camel camera candle canoe
canyon carbon cargo carpet castle cattle cedar cello chapel cherry chess chimney circle citrus clover cobra
cocoa coffee comet compass copper coral cotton cousin coyote crayon cricket crystal curtain custom daisy dancer
dental desert diesel dinner doctor dollar dolphin donkey dragon drawer driver drummer eagle earth easel echo
eleven ember engine envelope evening fabric falcon farmer feather fiddle finger flame flute forest fossil fountain
fox galaxy garden garlic gentle giant ginger giraffe glacier goblet golden granite grape guitar gypsum hammer
harbor harvest helmet hermit hickory hockey honey horizon hotel hunter iceberg igloo indigo insect iron island
ivory jacket jaguar jasmine jelly jersey jigsaw jungle kayak kettle kidney kitchen kiwi koala ladder lagoon
lantern laptop laser lemon leopard library lizard lobster lotus lumber lunar magnet mango maple marble market
meadow melon mentor mercury metal mirror mitten monkey mosaic motor muffin museum mustard napkin narrow nectar
needle nickel noodle north novel nugget oasis ocean octave olive onion opera orbit orchid organ otter
oven oyster paddle palace panda paper parrot pasta peanut pebble pencil pepper phoenix piano picnic pigeon
pillow pilot pirate planet plaza pocket poem polar pony poppy potato powder prism puppet purple python
quarry quartz quilt rabbit radar radio raven ribbon river robin rocket saddle salmon sandal saturn scooter
`
