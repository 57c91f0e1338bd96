package app

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// A demoQuestion is one message to the support desk of an invented shop for
// bicycle parts. All of it is made up here: no person wrote any of it.
type demoQuestion struct {
	Key   string
	Text  string
	Class string
}

// demoIntent is one class of the demo: what people write when they mean it. The
// later sentences are rare in what is trained on and frequent in what is
// evaluated on, which is how real data behaves and why no model gets all right.
type demoIntent struct {
	class string
	asks  []string // frequent
	rare  []string
	aside string // half a sentence about this topic, said on the way to another
}

func demoIntents() []demoIntent {
	return []demoIntent{
		{
			class: "Delivery",
			asks: []string{
				"where is my {thing}", "my parcel with the {thing} still has not come", "the tracking of order {order} has not moved since {day}",
				"when will the {thing} be delivered", "the courier says delivered but nobody rang", "can you send order {order} to another address",
				"is there an express option for the {thing}", "the parcel went back to the depot", "how long does shipping to {place} take",
				"only one of two parcels turned up {day}", "your courier left the {thing} in the rain", "I would like to pick up order {order} myself",
			},
			rare: []string{
				"nothing in the letter box again", "the driver could not find our door in {place}", "does anybody know which van my {thing} is in",
				"I was at home all {day} and there was only a card", "please leave it with the neighbours",
			},
			aside: "it took ages to get here",
		},
		{
			class: "Returns",
			asks: []string{
				"how do I send the {thing} back", "the {thing} does not fit, I want to return it", "I need a return label for order {order}",
				"can I exchange the {thing} for a bigger one", "how many days do I have to return the {thing}", "I ordered the wrong {thing}",
				"has my return of the {thing} reached you", "do I pay for sending it back", "I changed my mind about the {thing}",
				"can I bring the {thing} back to the shop in {place}", "the return portal does not know order {order}",
			},
			rare: []string{
				"it is the wrong size after all", "my wife had already bought the same {thing}", "I opened the box, may I still give it back",
				"would you swap it for the other colour", "I posted it to you on {day} and heard nothing",
			},
			aside: "I almost sent it back",
		},
		{
			class: "Payment",
			asks: []string{
				"I was charged twice for order {order}", "my card was declined when I paid for the {thing}", "when do I get my money for order {order}",
				"can I pay by invoice", "the refund is not on my account yet", "I need an invoice with our company name",
				"the discount code was not taken off", "the price of the {thing} changed in the basket", "which cards do you accept",
				"you took {money} too much", "can I pay the {thing} in instalments",
			},
			rare: []string{
				"there are {money} missing on my statement", "my voucher from {day} shows an error", "the bank blocked it as suspicious",
				"the tax on the bill is wrong for {place}", "I still wait for the money back for the {thing}",
			},
			aside: "I paid {money} for it",
		},
		{
			class: "Account",
			asks: []string{
				"I cannot sign in", "the password mail never comes", "how do I change my email address", "please delete my account",
				"I am locked out after three tries", "my account shows orders that are not mine", "how can I change the address in my profile",
				"stop sending me the newsletter", "I have two accounts and want one", "the code on my phone is always wrong",
			},
			rare: []string{
				"it says that nobody with this name exists", "I have a new phone and nothing works", "somebody else seems to use my profile",
				"where do I see what I bought last year", "my daughter should be able to order with it too",
			},
			aside: "I have been a customer since {year}",
		},
		{
			class: "Product",
			asks: []string{
				"does the {thing} fit a {bike}", "which size of {thing} do I need", "what is the {thing} made of", "is the {thing} waterproof",
				"do you have the {thing} in black", "what weight can the {thing} carry", "when is the {thing} back in stock",
				"how do I mount the {thing} on a {bike}", "is there a manual for the {thing}", "what is the difference between the two kinds of {thing}",
			},
			rare: []string{
				"would it work with my old {bike} from {year}", "my legs are short, which one do you suggest", "can a child of {small} use the {thing}",
				"do the screws come with it", "I ride through winter in {place}, will it last",
			},
			aside: "it is for my {bike}",
		},
		{
			class: "Damage",
			asks: []string{
				"the {thing} arrived broken", "the {thing} came with scratches", "a screw of the {thing} is missing", "the {thing} stopped working after {small} days",
				"the {thing} makes a noise", "the box was open and the {thing} dented", "the {thing} leaks", "the light of the {thing} flickers",
				"the {thing} broke on the first ride", "is this covered by the warranty", "can you repair my {thing}",
			},
			rare: []string{
				"it wobbles whatever I do", "one side is bent", "after {small} weeks it simply fell apart in {place}",
				"the colour comes off on my hands", "it was fine until {day}, now nothing happens",
			},
			aside: "it has a small scratch, never mind",
		},
	}
}

var demoSlots = map[string][]string{
	"thing": {"saddle", "front light", "rear rack", "helmet", "pannier bag", "chain", "lock", "pump", "mudguard", "bottle cage", "set of brake pads", "child seat", "rain jacket", "bike computer", "pedal set"},
	"bike":  {"touring bike", "city bike", "folding bike", "mountain bike", "cargo bike", "racing bike"},
	"day":   {"Monday", "last week", "Thursday", "the 3rd", "yesterday", "Saturday"},
	"place": {"Ghent", "Porto", "Leeds", "Tampere", "Graz", "Aarhus"},
	"money": {"12.90", "34 euros", "79.95", "5 euros"},
	"year":  {"1998", "2009", "2015", "2021"},
	"small": {"two", "three", "four", "six"},
}

var (
	demoOpeners = []string{"Hi, ", "Hello, ", "Good morning, ", "Dear team, ", "Hello again, ", "Please help: ", "Quick question: ", "", "", "", ""}
	demoClosers = []string{"", "", "", ". Thanks!", ". Thank you.", ". Please answer soon.", ". Kind regards", "?", "?", "!!", ". What can I do?", ". This is the second time I write."}
	demoJoins   = []string{", but %s", "; by the way, %s", " (%s)", ", and %s"}
)

// demoQuestions makes n questions, the same for the same seed. rare is the
// share of them that is said in a way that few people use.
func demoQuestions(prefix string, n int, seed uint64, rare float64) []demoQuestion {
	rng := rand.New(rand.NewPCG(seed, 0x61646a75646765))
	intents := demoIntents()
	// Some topics come up more often than others.
	weights := []int{24, 18, 18, 13, 15, 12}
	questions := make([]demoQuestion, 0, n)
	seen := map[string]bool{}
	for len(questions) < n {
		intent := intents[weighted(rng, weights)]
		sentence := pick(rng, intent.asks)
		if rng.Float64() < rare {
			sentence = pick(rng, intent.rare)
		}
		if rng.Float64() < 0.3 {
			other := intents[rng.IntN(len(intents))]
			if other.class != intent.class {
				sentence += fmt.Sprintf(pick(rng, demoJoins), other.aside)
			}
		}
		text := fillSlots(rng, pick(rng, demoOpeners)+sentence+pick(rng, demoClosers))
		text = mistype(rng, text)
		if seen[text] {
			continue
		}
		seen[text] = true
		questions = append(questions, demoQuestion{Key: fmt.Sprintf("%s-%04d", prefix, len(questions)+1), Text: text, Class: intent.class})
	}
	return questions
}

func pick(rng *rand.Rand, from []string) string { return from[rng.IntN(len(from))] }

func weighted(rng *rand.Rand, weights []int) int {
	total := 0
	for _, w := range weights {
		total += w
	}
	at := rng.IntN(total)
	for i, w := range weights {
		if at -= w; at < 0 {
			return i
		}
	}
	return len(weights) - 1
}

// fillSlots replaces each {slot} by one of its words, from left to right.
func fillSlots(rng *rand.Rand, text string) string {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, "{")
		out.WriteString(before)
		if !found {
			break
		}
		slot, after, _ := strings.Cut(rest, "}")
		if slot == "order" {
			fmt.Fprintf(&out, "%d", 48000+rng.IntN(2000))
		} else {
			out.WriteString(pick(rng, demoSlots[slot]))
		}
		text = after
	}
	filled := out.String()
	return strings.ToUpper(filled[:1]) + filled[1:]
}

// mistype swaps two letters in some messages, writes some without capitals.
func mistype(rng *rand.Rand, text string) string {
	switch roll := rng.Float64(); {
	case roll < 0.12:
		letters := []rune(text)
		at := 1 + rng.IntN(len(letters)-2)
		letters[at], letters[at+1] = letters[at+1], letters[at]
		return string(letters)
	case roll < 0.25:
		return strings.ToLower(text)
	default:
		return text
	}
}
