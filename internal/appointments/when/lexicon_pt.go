package when

import (
	"strings"
	"time"
)

// portuguese is read as it is written in Brazil: what is usual, without the depth of spanish.
var portuguese = newLexicon(vocabulary{
	groups: portugueseEntries,
	numbers: map[string]int{
		"zero": 0, "dois": 2, "duas": 2, "tres": 3, "quatro": 4, "cinco": 5, "seis": 6, "sete": 7, "oito": 8, "nove": 9, "dez": 10, "onze": 11, "doze": 12, "treze": 13,
		"catorze": 14, "quatorze": 14, "quinze": 15, "dezesseis": 16, "dezessete": 17, "dezoito": 18, "dezenove": 19, "vinte": 20, "vinte e um": 21, "vinte e dois": 22,
		"vinte e tres": 23, "vinte e quatro": 24, "vinte e cinco": 25, "vinte e seis": 26, "vinte e sete": 27, "vinte e oito": 28, "vinte e nove": 29, "trinta": 30,
		"trinta e um": 31, "quarenta": 40, "quarenta e cinco": 45, "cinquenta": 50,
	},
	mendable: "segunda terca quarta quinta sexta sabado domingo amanha manha tarde noite hoje janeiro fevereiro marco abril junho julho agosto setembro outubro novembro dezembro " +
		"semana proxima proximo depois antes qualquer feriado",
	ordinary: "sexto quinto quarto segundo terco tarda tarde noites abrir abriu junto julia marca mario antas ante sentar semanal manda manga banha ganha apanha",
	ordinals: "o a ro ra",
	first:    "primeiro",
	sound:    strings.NewReplacer("ss", "s", "z", "s", "h", "", "ch", "x").Replace,
})

var portugueseEntries = []entry{
	say(cDay, 0, "hoje; hj; hoje mesmo"), say(cDay, 1, "amanha; amnh; amanha mesmo"), say(cDay, 2, "depois de amanha; dps de amanha"), say(cDay, -1, "ontem"), say(cDay, -2, "anteontem"),
	say(cWeekday, int(time.Monday), "segunda; segunda feira; seg"), say(cWeekday, int(time.Tuesday), "terca; terca feira"), say(cWeekday, int(time.Wednesday), "quarta; quarta feira; qua"),
	say(cWeekday, int(time.Thursday), "quinta; quinta feira; qui"), say(cWeekday, int(time.Friday), "sexta; sexta feira"), say(cWeekday, int(time.Saturday), "sabado; sab"),
	say(cWeekday, int(time.Sunday), "domingo; dom"),
	sayPlural(cWeekday, int(time.Monday), "segundas; segundas feiras"), sayPlural(cWeekday, int(time.Tuesday), "tercas; tercas feiras"), sayPlural(cWeekday, int(time.Wednesday), "quartas; quartas feiras"),
	sayPlural(cWeekday, int(time.Thursday), "quintas; quintas feiras"), sayPlural(cWeekday, int(time.Friday), "sextas; sextas feiras"), sayPlural(cWeekday, int(time.Saturday), "sabados"),
	sayPlural(cWeekday, int(time.Sunday), "domingos"),
	say(cMonth, 1, "janeiro"), say(cMonth, 2, "fevereiro"), say(cMonth, 3, "marco"), say(cMonth, 4, "abril"), say(cMonth, 5, "maio"), say(cMonth, 6, "junho"), say(cMonth, 7, "julho"),
	say(cMonth, 8, "agosto"), say(cMonth, 9, "setembro"), say(cMonth, 10, "outubro"), say(cMonth, 11, "novembro"), say(cMonth, 12, "dezembro"),
	sayShort(cMonth, 1, "jan"), sayShort(cMonth, 2, "fev"), sayShort(cMonth, 4, "abr"), sayShort(cMonth, 6, "jun"), sayShort(cMonth, 7, "jul"), sayShort(cMonth, 8, "ago"),
	sayShort(cMonth, 9, "set"), sayShort(cMonth, 10, "out"), sayShort(cMonth, 11, "nov"), sayShort(cMonth, 12, "dezem"),
	say(cNext, 0, "que vem; q vem; proximo; proxima; proximos; proximas; seguinte"), say(cThis, 0, "este; esta; esse; essa; estes; estas"),
	spell("neste; nesse; nesta; nessa", lexeme{class: cIn}, lexeme{class: cThis}), spell("deste; desse; desta; dessa", lexeme{class: cOf}, lexeme{class: cThis}),
	say(cOther, 0, "outro; outra"), say(cPasado, 0, "passado; passada; ultimo; ultima"),
	say(cUnit, unitMinute, "minuto; minutos; min; minutinhos"), say(cUnit, unitHour, "hora; horas"), say(cUnit, unitDay, "dia"), sayPlural(cUnit, unitDay, "dias"), say(cUnit, unitWeek, "semana; semanas"),
	say(cUnit, unitWeekend, "fim de semana; final de semana; fds; findi"), sayPlural(cUnit, unitWeekend, "fins de semana; finais de semana"), say(cUnit, unitFortnight, "quinzena"),
	say(cUnit, unitMonth, "mes; meses"), say(cUnit, unitYear, "ano; anos"), say(cWorkdays, 0, "dia de semana; dias de semana; dia util; dias uteis; durante a semana"),
	say(cOrdinal, 1, "primeiro; primeira"), say(cBegin, 0, "inicio; comeco; primeiros dias"), say(cMid, 0, "meados; metade"), say(cEnd, 0, "fim; final; finais; fins"),

	say(cTo, 0, "a"), say(cArticle, artHe, "o"), say(cArticle, artThem, "os"),
	spell("as", lexeme{class: cTo}, lexeme{class: cArticle, n: artHours}), spell("ao", lexeme{class: cTo}, lexeme{class: cArticle, n: artHe}), spell("aos", lexeme{class: cTo}, lexeme{class: cArticle, n: artThem}),
	spell("do", lexeme{class: cOf}, lexeme{class: cArticle, n: artHe}), spell("da", lexeme{class: cOf}, lexeme{class: cArticle, n: artShe}), spell("das", lexeme{class: cOf}, lexeme{class: cArticle, n: artHours}),
	spell("no", lexeme{class: cIn}, lexeme{class: cArticle, n: artHe}), spell("na", lexeme{class: cIn}, lexeme{class: cArticle, n: artShe}), spell("pela", lexeme{class: cBy}, lexeme{class: cArticle, n: artShe}),
	spell("nos; nas; aos fins de", lexeme{class: cIn}, lexeme{class: cArticle, n: artThem}),
	say(cOf, 0, "de"), say(cIn, 0, "em"), say(cFor, 0, "para; pra; pro; p"), say(cBy, 0, "por; durante"), say(cOr, 0, "ou; ou entao"), say(cAnd, 0, "e; e tambien; tambem"), say(cNor, 0, "nem"),
	say(cBut, 0, "mas; porem"), say(cYes, 0, "sim"), say(cCorrect, 0, "desculpa; digo; ou melhor; na verdade; melhor"),
	say(cMove, 0, "mudar; remarcar; trocar; passar; adiar; adiantar; reagendar"), say(cFiller, 0, "mesmo; por favor; pode ser; seria"),

	say(cPart, int(Morning), "manha; cedo; cedinho; logo cedo; parte da manha; periodo da manha"), say(cPart, int(Afternoon), "tarde; tardinha; parte da tarde; periodo da tarde"),
	say(cPart, int(Evening), "noite; noitinha; fim da tarde; final da tarde; fim de tarde; final de tarde"), say(cPart, int(Dawn), "madrugada"), say(cNoon, 0, "meio dia"), say(cMidnight, 0, "meia noite"),
	say(cAbout, 0, "la pelas; la por; por volta das; por volta de; umas; mais ou menos; aproximadamente; tipo; cerca das"), say(cAbout, needsHour, "cerca de"),
	say(cAfter, 0, "depois; apos; dps"), say(cBefore, 0, "antes"), say(cUntil, 0, "ate; ate as; no maximo"), say(cSince, 0, "desde; a partir; a partir das; nao antes"), say(cOnward, 0, "em diante; pra frente; para frente; ou mais tarde"),
	say(cOrLess, 0, "ou antes"), say(cBetween, 0, "entre"), say(cHour, 0, "h; hs; hrs"), say(cMeridiem, 0, "am"), say(cMeridiem, 12, "pm"), say(cHalf, 0, "meia"), say(cQuarter, 0, "um quarto"),
	say(cSharp, 0, "em ponto"), say(cWithin, 0, "dentro de; daqui a; daqui; em ate"), say(cAgo, 0, "ha; faz"),
	{"um; uma", []lexeme{{class: cNumber, n: 1, spelt: true, one: true}}},

	say(cNo, 0, "nao; n"), say(cMinus, 0, "menos"), say(cExcept, 0, "exceto; fora; que nao seja; sem ser; tirando"),
	say(cCannot, 0, "nao posso; nao consigo; nao da; nao vou poder; nao vai dar; nao poderei; impossivel; complicado; nao tenho tempo; nao me serve; nao quero"),
	say(cWork, 0, "trabalho; estou trabalhando"), say(cFree, 0, "saio; saio do trabalho; fico livre"), say(cBusy, 0, "entro; entro no trabalho"),

	say(cAny, 0, "qualquer; qualquer um; qualquer uma; qualquer dia; tanto faz; todos os dias; quando tiver; o que tiver"), say(cAnyHour, 0, "qualquer hora; qualquer horario; a qualquer hora; o dia todo"),
	say(cEvery, 0, "toda; todo; todas as; todos os; cada"), say(cSome, 0, "algum; alguma"),
	say(cSoonest, 0, "o quanto antes; quanto antes; o mais rapido possivel; mais rapido possivel; o mais cedo possivel; mais cedo possivel; urgente; agora; agora mesmo; o mais breve possivel; "+
		"o primeiro horario disponivel; primeiro horario disponivel; primeiro horario livre; proximo horario disponivel; primeiro que tiver"),
	say(cFirst, 0, "primeiro horario; primeira hora; bem cedo"), say(cLast, 0, "ultimo horario; ultima hora; fim do dia; final do dia; o mais tarde possivel; mais tarde possivel"),

	say(cHoliday, 0, "feriado; feriados; natal; ano novo; reveillon; carnaval; pascoa; sexta feira santa; sexta santa; semana santa; corpus christi; dia das maes; dia dos pais; vespera de natal"),
	say(cStreet, 0, "rua; avenida; av; praca; travessa; rodovia; bairro"), say(cGood, 0, "boa; bom; boas"), say(cGood, wishes, "feliz; otimo; otima; tenha um; tenha uma"),
	say(cNoise, 0, "ate amanha; ate logo; ate mais; mais tarde; mais cedo; depois te; depois eu; por enquanto; ate agora"), say(cCalled, 0, "sou; me chamo; meu nome e; com; doutor; doutora; dr; dra; ola; oi"),
	say(cCount, 0, "pessoa; pessoas; vez; vezes; reais; real; filho; filhos; filha; filhas; sessao; sessoes; cortes; corte"), say(cLasts, 0, "dura; duram; demora; leva"),
}
