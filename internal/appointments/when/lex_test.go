package when

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestOrdinaryWordsAreLeftAlone holds words of shops and surgeries that are a letter or two away from a day, a month or an hour.
func TestOrdinaryWordsAreLeftAlone(t *testing.T) {
	t.Parallel()
	const words = "manzana banana mariana mates marte marta martin vienes viene sacado salado saldo soldado lavado alisado peinado noches coche leche tarta tarjeta torta tardar entero dinero genero " +
		"marco mario mareo mazo abrir abris abrigo junto juana julia julieta agoto angosto semilla seminario pesado pagado pasame pasarlo antena antonio anteojos medidas mercado medico medica dominio " +
		"cuadra cuanto cuento princesa primavera partida pasaje mechas corte barba color tintura keratina esmaltado semipermanente pestanas dientes muela caries ortodoncia consulta masaje terapia " +
		"genio novia octavo noveno diciendo quiniela luna lunares juego jefe nuevas viento vientre menu menor mayor mejor media centro apenas aparte"
	for word := range strings.FieldsSeq(words) {
		got := spanish.mendAll(tokenize(word))
		require.Len(t, got, 1, word)
		require.Equal(t, word, got[0].text)
	}
}

func TestTypingErrorsAreMended(t *testing.T) {
	t.Parallel()
	for typed, meant := range map[string]string{
		"manñana": "manana", "amñana": "manana", "mañanaaaa": "manana", "juebes": "jueves", "vierne": "vierne", "biernes": "viernes", "vierness": "viernes", "savado": "sabado",
		"miercloes": "miercoles", "miercoels": "miercoles", "mierkoles": "miercoles", "domigno": "domingo", "septienbre": "septiembre", "febrer": "febrero", "novienbre": "noviembre", "diziembre": "diciembre",
		"eljueves": "el jueves", "delviernes": "del viernes", "trade": "tarde", "nohce": "noche", "seman": "semana", "proxmo": "proximo", "domino": "domingo", "mediodai": "mediodia",
	} {
		require.Equal(t, meant, joinTokens(spanish.mendAll(tokenize(typed))), typed)
	}
}

func TestNumbersTiedTogether(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"15:30": {"15:30"}, "27/3": {"27/3"}, "14:00-16:00": {"14:00", "-", "16:00"}, "2026-04-05": {"2026-04-05"}, "27,28/3": {"27", ",", "28/3"}, "10-12.30": {"10", "-", "12.30"},
		"5/4,6/4": {"5/4", ",", "6/4"}, "17hs.": {"17", "hs", "."}, "5pm": {"5", "pm"}, "5½": {"5", "1/2"}, "１５": {"15"}, "2026-04-05T10:00": {"2026-04-05", "t", "10:00"},
		"tarde-noche": {"tarde", "noche"}, "¿5?": {"¿", "5", "?"},
	} {
		var got []string
		for _, tok := range tokenize(text) {
			got = append(got, tok.text)
		}
		require.Equal(t, want, got, text)
	}
}
